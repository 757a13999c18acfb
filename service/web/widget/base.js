// Greenroom's comments for any page. No dependency, no cookie, no request to anybody but the service it came from.

const SERVICE = new URL(".", import.meta.url);
const TIMEOUT_MS = 30_000;
// All the comments that are in the page just now.
const WIDGETS = new Set();
// What only who runs the page can mend, told to nobody else.
const report = (...what) => console.error("Greenroom:", ...what);
// For pages that require Trusted Types. What goes through here was made, or sanitised, by the service.
let trusted;
try {
  trusted = globalThis.trustedTypes?.createPolicy("greenroom", { createHTML: (html) => html });
} catch {
  report('the policy of the page has to allow "trusted-types greenroom"');
}

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = trusted ? trusted.createHTML(html) : html;
  return template.content;
}

function make(tag, part, text = "", attributes = {}) {
  const node = document.createElement(tag);
  if (part) node.setAttribute("part", part);
  node.textContent = text;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function makeButton(text, part, act) {
  const button = make("button", `button ${part}`, text, { type: "button" });
  button.addEventListener("click", act);
  return button;
}

// Of the page around and of a comment on it, whatever its `<base>` says.
const pageAddress = () => location.href.split("#")[0];
const addressOf = (id) => `${pageAddress()}#comment-${id}`;
const find = (root, part) => root.querySelector(`[part~=${part}]`);
const idOf = (item) => item.id.slice("comment-".length);
const say = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name]);

function api(path, query = {}) {
  const url = new URL(`v1/${path}`, SERVICE);
  for (const [name, value] of Object.entries(query)) if (value) url.searchParams.set(name, value);
  return url;
}

// Language tags of pages may be anything: `en_US`, `en-US.UTF-8`, `klingon`, nothing.
function languageOf(element) {
  for (const tag of [element.closest("[lang]")?.lang, document.documentElement.lang, navigator.language]) {
    for (const part of [/^[^.@]*/, /^[a-z]{2,3}(?![a-z])/i]) {
      try {
        return new Intl.Locale(tag.replaceAll("_", "-").match(part)[0]);
      } catch { /* The next one, then. */ }
    }
  }
  return new Intl.Locale("en");
}

async function reportAnswer(answer) {
  const { detail, type, errors = [] } = await answer.json().catch(() => ({}));
  const told = [detail, ...errors.map((one) => one.detail)].filter(Boolean).join(" ");
  report(`${answer.status} for ${answer.url}`, told, type ? `See ${new URL(type, SERVICE)}` : "");
}

// Resolves to the answer whatever its status; rejects when there is none.
function call(url, method = "GET", body = undefined, headers = {}) {
  const type = body && { "Content-Type": "application/json" };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  return fetch(url, { method, body, headers: { ...type, ...headers }, credentials: "omit", signal });
}

// What a browser keeps for us: `localStorage` for good, `sessionStorage` as long as the tab lives. Both may be
// full or forbidden, and then it does not outlive the page.
const memory = new Map();
function keep(area, key, value) {
  memory.delete(area + key);
  try {
    if (value) globalThis[area].setItem(key, JSON.stringify(value));
    else globalThis[area].removeItem(key);
  } catch {
    memory.set(area + key, value);
  }
}
function recall(area, key) {
  try {
    return memory.get(area + key) ?? JSON.parse(globalThis[area].getItem(key));
  } catch {
    return null;
  }
}

// What is kept as names and values; anybody may have written something else there.
function recallAll(area, key) {
  const kept = recall(area, key);
  return typeof kept === "object" && !Array.isArray(kept) ? kept ?? {} : {};
}

// The receipts of what the reader has written on a site.
const ownKey = (site) => `greenroom:${site}:own`;
const ownOf = (site) => {
  const kept = recall("localStorage", ownKey(site));
  return Array.isArray(kept) ? kept.filter((one) => one?.id && one.token && Date.parse(one.at)) : [];
};

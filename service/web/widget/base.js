// Greenroom's comments for any page. No dependency, no cookie, no request to anybody but the service it came from.

const SERVICE = new URL(".", import.meta.url);
const TIMEOUT_MS = 30_000;
// Said where nothing could be loaded, and so no other word either.
const UNREACHABLE = {
  en: "The comments could not be loaded.",
  de: "Die Kommentare konnten nicht geladen werden.",
  fr: "Impossible de charger les commentaires.",
  es: "No se pudieron cargar los comentarios.",
  pt: "Não foi possível carregar os comentários.",
  ja: "コメントを読み込めませんでした。",
  zh: "无法加载评论。",
  ar: "تعذّر تحميل التعليقات.",
  hi: "टिप्पणियाँ लोड नहीं हो सकीं।",
  id: "Komentar tidak dapat dimuat.",
  uk: "Не вдалося завантажити коментарі.",
  ko: "댓글을 불러올 수 없습니다.",
};

// For pages that require Trusted Types. What goes through here was made, or sanitised, by the service.
const trusted = globalThis.trustedTypes?.createPolicy("greenroom", { createHTML: (html) => html });

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

const find = (root, part) => root.querySelector(`[part~=${part}]`);
const say = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name]);

function api(path, query = {}) {
  const url = new URL(`v1/${path}`, SERVICE);
  for (const [name, value] of Object.entries(query)) if (value) url.searchParams.set(name, value);
  return url;
}

// Resolves to the answer whatever its status; rejects when there is none.
function call(url, method = "GET", body = undefined, headers = {}) {
  const type = body && { "Content-Type": "application/json" };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  return fetch(url, { method, body, headers: { ...type, ...headers }, credentials: "omit", signal });
}

// What a browser keeps for us: `localStorage` for good, `sessionStorage` as long as the tab lives. Both may be
// forbidden, and then nothing outlives the page.
const memory = new Map();
function keep(area, key, value) {
  memory.set(area + key, value);
  try {
    if (value) globalThis[area].setItem(key, JSON.stringify(value));
    else globalThis[area].removeItem(key);
  } catch { /* The memory above has it. */ }
}
function recall(area, key) {
  try {
    return JSON.parse(globalThis[area].getItem(key));
  } catch {
    return memory.get(area + key) ?? null;
  }
}

// <greenroom-count site="…" article="…">0</greenroom-count>: all that a page has are asked for together.
const MAX_COUNTED = 100;
// A request's line may have 16 KiB.
const MAX_QUERY_CHARS = 8_000;
const waiting = new Set();

class GreenroomCount extends HTMLElement {
  static observedAttributes = ["site", "article", "lang"];

  connectedCallback() {
    if (!waiting.size) setTimeout(countTogether);
    waiting.add(this);
  }

  attributeChangedCallback(name, before, now) {
    if (this.isConnected && before !== now) this.connectedCallback();
  }
}

function countTogether() {
  const sites = new Map();
  for (const one of waiting) {
    const site = one.getAttribute("site");
    const isNamed = site && one.getAttribute("article");
    if (isNamed) sites.set(site, [...(sites.get(site) ?? []), one]);
    else if (one.isConnected) report('<greenroom-count> needs the attributes "site" and "article"');
  }
  waiting.clear();
  for (const [site, elements] of sites) countAll(site, elements);
}

function countAll(site, elements) {
  let url = api(`sites/${site}/counts`);
  for (const article of new Set(elements.map((one) => one.getAttribute("article")))) {
    let longer = new URL(url);
    longer.searchParams.append("article", article);
    if (url.search && (longer.href.length > MAX_QUERY_CHARS || longer.searchParams.getAll("article").length > MAX_COUNTED)) {
      count(url, elements);
      longer = api(`sites/${site}/counts`, { article });
    }
    url = longer;
  }
  count(url, elements);
}

async function count(url, elements) {
  const answer = await call(url).catch(() => null);
  if (!answer?.ok) return answer && reportAnswer(answer);
  const { counts } = await answer.json();
  for (const element of elements) {
    const found = counts[element.getAttribute("article")];
    if (typeof found === "number") element.textContent = new Intl.NumberFormat(languageOf(element)).format(found);
  }
}

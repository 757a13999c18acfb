const sheet = new CSSStyleSheet();
sheet.replaceSync(STYLES);

// <greenroom-comments site="…" article="…" lang="…" order="newest" limit="50" theme="auto">, all but `site` optional.
class GreenroomComments extends HTMLElement {
  static observedAttributes = ["site", "article", "lang", "order", "limit"];

  get site() {
    return this.getAttribute("site");
  }

  get order() {
    return this.getAttribute("order") === "newest" ? "newest" : "oldest";
  }

  connectedCallback() {
    if (!this.shadowRoot) {
      this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
      // Until the comments are here, and where they never come, the page's own content is what there is.
      this.shadowRoot.append(document.createElement("slot"));
    }
    this.load();
  }

  disconnectedCallback() {
    this.ending?.abort();
  }

  attributeChangedCallback(name, before, now) {
    if (this.ending && this.isConnected && before !== now) this.load();
  }

  async load() {
    this.ending?.abort();
    const ending = (this.ending = new AbortController());
    this.signal = ending.signal;
    if (!this.site) return;
    const canonical = document.querySelector("link[rel=canonical]")?.href ?? location.href;
    const wished = this.closest("[lang]")?.lang || navigator.language;
    try {
      const answer = await call(api(`sites/${this.site}/comments.html`, {
        article: this.getAttribute("article") || canonical,
        view: "widget", lang: wished, order: this.order, limit: this.getAttribute("limit"),
      }));
      if (!answer.ok) throw answer;
      const html = await answer.text();
      if (!ending.signal.aborted) this.begin(parse(html).firstElementChild);
    } catch {
      if (!ending.signal.aborted) this.apologise(wished.split("-")[0]);
    }
  }

  begin(section) {
    this.section = section;
    this.state = JSON.parse(section.querySelector("script").textContent);
    this.words = this.state.words;
    // Once: later it would bring back what was sent meanwhile.
    this.fallback = this.language ? null : readFallback(this);
    this.language = section.lang;
    const numbers = new Intl.NumberFormat(this.language);
    const dates = new Intl.DateTimeFormat(this.language, { dateStyle: "medium" });
    this.number = (value) => numbers.format(value);
    this.date = (value) => dates.format(value);
    this.status = make("p", "soft status", "", { role: "status" });
    section.append(this.status);
    this.shadowRoot.replaceChildren(section);
    this.thread = new Thread(this);
    this.form = new ReplyForm(this);
    this.own = new Own(this);
    this.live = new Live(this);
    this.goToHash();
    addEventListener("hashchange", () => this.goToHash(), { signal: this.signal });
    this.tell("loaded", { article: this.state.article, count: this.state.count });
  }

  goToHash() {
    const id = location.hash.slice(1);
    const item = /^comment-[0-9a-f-]{36}$/.test(id) && this.section.querySelector(`#${id}`);
    if (item) find(item, "comment").focus();
  }

  apologise(language) {
    const text = UNREACHABLE[language] ?? UNREACHABLE.en;
    const note = make("p", "note", `${text} `, { role: "alert" });
    note.append(makeButton("↻", "quiet", () => this.load()));
    const section = make("div", "comments", "", { class: "greenroom" });
    section.append(note);
    this.shadowRoot.replaceChildren(section, document.createElement("slot"));
    addEventListener("online", () => this.load(), { signal: this.signal, once: true });
  }

  approve(comment) {
    const isNew = !this.thread.isShown(comment.id);
    const item = this.thread.arrive(comment);
    const own = this.own.has(comment.id);
    if (own) this.own.follow(own);
    if (isNew) this.announce(own ? this.words.published : `${this.words.newer}: ${comment.name}`);
    this.tell("approved", { comment, item });
  }

  remove(id) {
    this.thread.depart(id);
    this.tell("removed", { id });
  }

  announce(text) {
    this.status.textContent = text;
  }

  // When what was refused may be sent again, as a time of day.
  after(answer) {
    const at = new Date(Date.now() + 1000 * (Number(answer.headers.get("Retry-After")) || 60));
    return new Intl.DateTimeFormat(this.language, { timeStyle: "medium" }).format(at);
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(`greenroom:${name}`, { detail, bubbles: true, composed: true }));
  }
}

// What somebody typed into the page's own form before this script was there, and where the cursor stood.
function readFallback(widget) {
  const form = widget.querySelector("form");
  if (!form) return null;
  const fields = TYPED.map((name) => [name, form.elements[name]]).filter(([, field]) => field);
  const focused = fields.find(([, field]) => field === document.activeElement);
  return { values: Object.fromEntries(fields.map(([name, field]) => [name, field.value])), focus: focused?.[0] };
}

// <greenroom-count site="…" article="…">0</greenroom-count>: all that a page has are asked for together.
const MAX_COUNTED = 100;
let waiting = [];

class GreenroomCount extends HTMLElement {
  connectedCallback() {
    if (!waiting.length) setTimeout(countTogether);
    waiting.push(this);
  }
}

async function countTogether() {
  const sites = new Map();
  for (const one of waiting) sites.set(one.getAttribute("site"), [...(sites.get(one.getAttribute("site")) ?? []), one]);
  waiting = [];
  for (const [site, elements] of sites) {
    const articles = [...new Set(elements.map((one) => one.getAttribute("article")))];
    for (let start = 0; start < articles.length; start += MAX_COUNTED) count(site, articles.slice(start, start + MAX_COUNTED), elements);
  }
}

async function count(site, articles, elements) {
  const url = api(`sites/${site}/counts`);
  for (const article of articles) url.searchParams.append("article", article);
  const answer = await call(url).catch(() => null);
  if (!answer?.ok) return;
  const { counts } = await answer.json();
  for (const element of elements) {
    const found = counts[element.getAttribute("article")];
    const language = element.closest("[lang]")?.lang || undefined;
    if (typeof found === "number") element.textContent = new Intl.NumberFormat(language).format(found);
  }
}

if (!customElements.get("greenroom-comments")) {
  customElements.define("greenroom-comments", GreenroomComments);
  customElements.define("greenroom-count", GreenroomCount);
}

// <greenroom-comments site="…" article="…" lang="…" order="newest" limit="50" theme="auto">, all but `site` optional.
const LIMIT = 50;
const MAX_LIMIT = 200;
const sheet = new CSSStyleSheet();
sheet.replaceSync(STYLES);

// It has no member but those that a browser calls: any name may be one of HTMLElement's some day.
class GreenroomComments extends HTMLElement {
  static observedAttributes = ["site", "article", "lang", "order", "limit", "theme"];
  #comments;

  connectedCallback() {
    if (!this.shadowRoot) this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
    this.#comments = new Comments(this);
  }

  disconnectedCallback() {
    this.#comments.end();
  }

  attributeChangedCallback(name, before, now) {
    if (this.isConnected && before !== now) this.#comments?.change(name);
  }
}

// The comments of one element, from when it is put into the page until it is taken out.
class Comments {
  constructor(host) {
    Object.assign(this, { host, shadowRoot: host.shadowRoot, ending: new AbortController(), loading: new AbortController() });
    this.colours = new Colours(host, this.ending.signal);
    this.load();
    this.followPage();
  }

  get site() {
    return this.host.getAttribute("site");
  }

  // The reader's own choice, or the page's.
  get order() {
    const chosen = recall("localStorage", `greenroom:${this.site}:order`) ?? this.host.getAttribute("order");
    return chosen === "newest" ? "newest" : "oldest";
  }

  get limit() {
    return Math.min(Math.max(parseInt(this.host.getAttribute("limit")) || LIMIT, 1), MAX_LIMIT);
  }

  end() {
    this.ending.abort();
    this.loading.abort();
  }

  // A script that sets three attributes wants one answer.
  change(name) {
    if (name === "theme") return this.colours.look();
    clearTimeout(this.changing);
    this.changing = setTimeout(() => this.ending.signal.aborted || this.load());
  }

  // With `article="auto"` it is the article of the page's address, also where a script changes that.
  followPage() {
    let shown = pageAddress();
    // No event tells of `pushState` in every browser.
    const timer = setInterval(() => {
      if (pageAddress() === shown) return;
      shown = pageAddress();
      if (this.host.getAttribute("article") === "auto") this.load();
    }, 500);
    this.ending.signal.addEventListener("abort", () => clearInterval(timer));
  }

  async load() {
    this.loading.abort();
    const { signal } = (this.loading = new AbortController());
    this.signal = signal;
    this.locale = languageOf(this.host);
    if (!this.site) {
      report('the element has no attribute "site"; it takes the name of the site, as in `greenroom site list`');
      return this.apologise(false);
    }
    if (!this.section) this.wait();
    try {
      const answer = await this.ask();
      const section = answer.ok && parse(await answer.text()).firstElementChild;
      if (signal.aborted) return;
      if (section) return this.begin(section);
      reportAnswer(answer);
      // No second try would mend what is wrong with the question.
      this.apologise(answer.status >= 500 || answer.status === 429);
    } catch (error) {
      if (signal.aborted) return;
      report(error);
      this.apologise();
    }
  }

  // Asks for what the element names, else for what the page calls itself, else for what it is.
  async ask() {
    const named = this.host.getAttribute("article");
    const canonical = document.querySelector("link[rel~=canonical i]")?.href;
    const url = (article) => api(`sites/${this.site}/comments.html`, {
      article, view: "widget", lang: this.locale.language, order: this.order, limit: this.limit,
    });
    const address = pageAddress();
    const wanted = named === "auto" ? address : named || canonical || address;
    const answer = await call(url(wanted));
    if (named || !canonical || answer.status !== 422) return answer;
    report(`the page's canonical link ${canonical} is no article of ${this.site}; its own address is asked for`);
    return call(url(address));
  }

  begin(section) {
    this.section = section;
    this.state = JSON.parse(section.querySelector("script").textContent);
    this.words = this.state.words;
    // Once: later it would bring back what was sent meanwhile.
    this.fallback = this.language ? null : readFallback(this.host);
    this.language = section.lang;
    const numbers = new Intl.NumberFormat(this.language);
    this.number = (value) => numbers.format(value);
    this.status = make("p", "soft status", "", { role: "status" });
    section.append(this.status);
    this.shadowRoot.replaceChildren(section);
    this.colours.paint(section);
    this.thread = new Thread(this);
    this.form = new ReplyForm(this);
    this.own = null;
    this.seen = new Seen(this);
    this.live = new Live(this);
    const follow = () => this.followOwn().catch(() => {});
    for (const name of ["storage", "online"]) addEventListener(name, follow, { signal: this.signal });
    follow();
    this.checkOrigin();
    this.goToHash();
    addEventListener("hashchange", () => this.goToHash(), { signal: this.signal });
    this.tell("loaded", { article: this.state.article, count: this.state.count });
  }

  // Only who has written here needs what follows that.
  async followOwn() {
    const { signal } = this;
    if (!ownOf(this.site).length) return;
    const { Own } = await writing();
    if (!signal.aborted) this.own ??= new Own(this);
  }

  // Who cannot send a comment should not write one first.
  checkOrigin() {
    const taken = [...this.state.origins, SERVICE.origin, "null"];
    if (!this.state.open || taken.includes(location.origin)) return;
    report(`${location.origin} is no origin of the site ${this.site}, so no comments are taken from this page; an owner adds it to "origins"`);
    this.form.form.before(make("p", "note", this.words.origin_not_allowed));
    this.form.form.hidden = true;
  }

  goToHash() {
    const [, id] = location.hash.match(/^#comment-([0-9a-f-]{36})$/) ?? [];
    if (id) this.thread.goTo(id);
  }

  // Said before the words of the comments are there, and where they never come; with the page's own content.
  show(note) {
    const section = make("div", "comments", "", { class: "greenroom" });
    section.append(note);
    this.section = null;
    this.shadowRoot.replaceChildren(section, document.createElement("slot"));
    this.colours.paint(section);
  }

  get early() {
    return EARLY[this.locale.language] ?? EARLY.en;
  }

  wait() {
    this.show(make("p", "soft loading", this.early[0], { role: "status" }));
  }

  apologise(mayRetry = true) {
    const [, unreachable, retry] = this.early;
    const note = make("p", "note", `${unreachable} `, { role: "alert" });
    this.show(note);
    if (!mayRetry) return;
    note.append(makeButton(retry, "quiet", () => this.load()));
    addEventListener("online", () => this.load(), { signal: this.signal, once: true });
  }

  approve(comment) {
    const isNew = !this.thread.isShown(comment.id);
    const item = this.thread.arrive(comment);
    const own = this.own?.has(comment.id);
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
    this.host.dispatchEvent(new CustomEvent(`greenroom:${name}`, { detail, bubbles: true, composed: true }));
  }
}

// What somebody typed into the page's own form before this script was there, and where the cursor stood.
function readFallback(host) {
  const form = host.querySelector("form");
  if (!form) return null;
  const fields = TYPED.map((name) => [name, form.elements[name]]).filter(([, field]) => field);
  const focused = fields.find(([, field]) => field === document.activeElement);
  return { values: Object.fromEntries(fields.map(([name, field]) => [name, field.value])), focus: focused?.[0] };
}

if (!customElements.get("greenroom-comments")) {
  customElements.define("greenroom-comments", GreenroomComments);
  customElements.define("greenroom-count", GreenroomCount);
}

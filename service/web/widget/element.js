// <greenroom-comments site="…" article="…" lang="…" order="newest" limit="50" theme="auto">, all but `site` optional.
const LIMIT = 50;
const MAX_LIMIT = 200;
// What happened last stands before what is below it no longer than it takes to read.
const NEWS_MS = 20_000;
const sheet = new CSSStyleSheet();
sheet.replaceSync(STYLES);

// It has no member but those that a browser calls: any name may be one of HTMLElement's some day.
class GreenroomComments extends HTMLElement {
  static observedAttributes = ["site", "article", "lang", "order", "limit", "theme"];
  #comments;

  connectedCallback() {
    if (!this.shadowRoot) {
      this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
      new Focus(this.shadowRoot);
    }
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
    Object.assign(this, { host, shadowRoot: host.shadowRoot, ending: new AbortController() });
    Object.assign(this, { asking: new AbortController(), loading: new AbortController() });
    this.colours = new Colours(host, this.ending.signal);
    WIDGETS.add(this);
    this.load();
    this.followPage();
  }

  get site() {
    return this.host.getAttribute("site");
  }

  // The reader's own choice, or the page's.
  get wishedOrder() {
    const chosen = recall("localStorage", `greenroom:${this.site}:order`) ?? this.host.getAttribute("order");
    return chosen === "newest" ? chosen : "oldest";
  }

  get limit() {
    return Math.min(Math.max(parseInt(this.host.getAttribute("limit")) || LIMIT, 1), MAX_LIMIT);
  }

  end() {
    WIDGETS.delete(this);
    for (const one of [this.ending, this.asking, this.loading]) one.abort();
  }

  // A script that sets three attributes wants one answer.
  change(name) {
    if (name === "theme") return this.colours.look();
    this.isElsewhere ||= ["site", "article"].includes(name);
    this.isOther ||= name !== "query";
    clearTimeout(this.changing);
    this.changing = setTimeout(() => this.ending.signal.aborted || this.load(false));
  }

  // With `article="auto"` it is the article of the page's address, also where a script changes that.
  followPage() {
    let shown = pageAddress();
    // No event tells of `pushState` in every browser.
    const timer = setInterval(() => {
      const before = shown;
      shown = pageAddress();
      if (shown === before || this.host.getAttribute("article") !== "auto") return;
      // What comes after the path often names no other article.
      this.change(shown.split("?")[0] === before.split("?")[0] ? "query" : "article");
    }, 500);
    this.ending.signal.addEventListener("abort", () => clearInterval(timer));
  }

  // Tells whether the comments are there. Those of the same article stay until others are, and for good where only an
  // address has changed that leads to them too.
  async load(isOther = true) {
    this.isOther ||= isOther;
    this.asking.abort();
    const { signal } = (this.asking = new AbortController());
    this.locale = languageOf(this.host);
    if (!this.site) {
      report('<greenroom-comments> needs the attribute "site"');
      return this.apologise(false);
    }
    if (this.isElsewhere || !this.section) this.wait();
    this.isElsewhere = false;
    const order = this.wishedOrder;
    try {
      const answer = await this.ask(order);
      const section = answer.ok && parse(await answer.text()).firstElementChild;
      if (signal.aborted) return true;
      if (!section) reportAnswer(answer);
      if (section && !this.isOther && this.section && readState(section).article === this.state.article) this.thread.dressAll();
      else if (section) this.begin(section, order);
      // No second try would mend what is wrong with the question.
      else this.apologise(answer.status >= 500 || answer.status === 429);
      return Boolean(section);
    } catch (error) {
      if (signal.aborted) return true;
      report(error);
      return this.apologise();
    }
  }

  // Asks for what the element names, else for what the page calls itself, else for what it is.
  async ask(order) {
    const named = this.host.getAttribute("article");
    const canonical = document.querySelector("link[rel~=canonical i]")?.href;
    const url = (article) => api(`sites/${this.site}/comments.html`, {
      article, view: "widget", lang: this.locale.language, order, limit: this.limit,
    });
    const address = pageAddress();
    const wanted = named === "auto" ? address : named || canonical || address;
    const answer = await call(url(wanted));
    if (named || !canonical || answer.status !== 422) return answer;
    report(`the canonical link ${canonical} is no article of ${this.site}`);
    return call(url(address));
  }

  // Whatever belonged to what was shown before ends.
  turn(section) {
    this.loading.abort();
    this.loading = new AbortController();
    this.signal = this.loading.signal;
    section.tabIndex = -1;
    this.shadowRoot.replaceChildren(section);
    this.colours.paint(section);
  }

  begin(section, order) {
    const before = this.state?.article;
    this.state = readState(section);
    Object.assign(this, { section, order, isOther: false, own: null, reply: null, changes: null, words: this.state.words });
    if (this.locale.language !== section.lang) this.locale = new Intl.Locale(section.lang);
    const numbers = new Intl.NumberFormat(this.locale);
    this.number = (value) => numbers.format(value);
    this.status = make("p", "soft status", "", { role: "status" });
    section.append(this.status);
    this.turn(section);
    this.thread = new Thread(this);
    this.form = new Form(this);
    this.seen = new Seen(this);
    this.live = new Live(this);
    for (const name of ["storage", "online"]) addEventListener(name, () => this.followOwn(), { signal: this.signal });
    this.followOwn();
    this.checkOrigin();
    if (before !== this.state.article) this.goToHash();
    addEventListener("hashchange", () => this.goToHash(), { signal: this.signal });
    // What somebody types is no shortcut of the page.
    for (const name of ["keydown", "keypress", "keyup"]) section.addEventListener(name, stopTyped);
    this.tell("loaded", { article: this.state.article, count: this.state.count });
  }

  // Only who has written here needs what follows that.
  async followOwn() {
    const { signal } = this;
    if (!ownOf(this.site).length) return;
    const { Own } = await later().catch(() => ({}));
    if (Own && !signal.aborted) this.own ??= new Own(this);
  }

  // Who cannot send a comment should not write one first.
  checkOrigin() {
    const taken = [...this.state.origins, SERVICE.origin];
    if (!this.state.open || taken.includes(self.origin)) return;
    report(`${self.origin} is no origin of ${this.site}; an owner adds it to "origins"`);
    this.form.form.before(make("p", "note", this.words.origin_not_allowed));
    this.section.dataset.mute = "";
  }

  goToHash() {
    const [, id] = location.hash.match(/^#comment-([0-9a-f-]{36})$/) ?? [];
    if (id) this.thread.goTo(id);
  }

  // Said before the words of the comments are there, and where they never come; with the page's own content.
  show(note) {
    const section = make("div", "comments", "", { class: "greenroom" });
    section.append(note);
    this.section = this.state = null;
    this.turn(section);
    this.shadowRoot.append(document.createElement("slot"));
  }

  get early() {
    return EARLY[this.locale.language] ?? EARLY.en;
  }

  wait() {
    this.show(make("p", "soft loading", this.early[0], { role: "status" }));
  }

  // What is shown is worth more than the news that there is no other.
  apologise(mayRetry = true) {
    const [, unreachable, retry] = this.early;
    if (mayRetry && this.section) return this.announce(unreachable);
    const note = make("p", "note", `${unreachable} `, { role: "alert" });
    this.show(note);
    if (!mayRetry) return false;
    note.append(makeButton(retry, "quiet", () => this.load()));
    addEventListener("online", () => this.load(), { signal: this.signal, once: true });
    return false;
  }

  // What can be seen where it happened does not come over what somebody is at.
  announce(text, isSeen) {
    this.status.style.position = isSeen ? "static" : "";
    this.status.textContent = text;
    clearTimeout(this.announcing);
    this.announcing = setTimeout(() => (this.status.textContent = ""), NEWS_MS);
    return false;
  }

  tell(name, detail) {
    this.host.dispatchEvent(new CustomEvent(`greenroom:${name}`, { detail, bubbles: true, composed: true }));
  }
}

const readState = (section) => JSON.parse(section.querySelector("script").textContent);

function stopTyped(event) {
  if (event.target.matches("input, textarea, select")) event.stopPropagation();
}

if (!customElements.get("greenroom-comments")) {
  customElements.define("greenroom-comments", GreenroomComments);
  customElements.define("greenroom-count", GreenroomCount);
}

// The reader's own comments: followed, corrected and withdrawn by the receipts that this browser keeps.
const MAX_RECEIPTS = 50;
const ASK_AGAIN_MS = [5_000, 86_400_000];

// A part of the comment itself, not of what answers it.
const inside = (item, part) => find(find(item, "comment"), part);

// Reads anew before it writes, since other tabs write too.
function changeOwn(site, id, entry) {
  const others = ownOf(site).filter((one) => one.id !== id);
  keep("localStorage", ownKey(site), [...others, ...(entry ? [entry] : [])].slice(-MAX_RECEIPTS));
}

// Keeps the receipt of a comment that the service has, with what was sent.
function rememberOwn(site, { id, article, submitted_at: at, receipt }, { name, text, parent }) {
  const entry = { id, article, parent, at, ...receipt, name, text };
  changeOwn(site, id, entry);
  return entry;
}

class Own {
  constructor(widget) {
    Object.assign(this, { widget, key: ownKey(widget.site), signal: widget.signal, timers: {} });
    addEventListener("storage", ({ key }) => key === this.key && this.show(), { signal: widget.signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.show(), { signal: widget.signal });
    this.show();
  }

  all() {
    return ownOf(this.widget.site);
  }

  here() {
    return this.all().filter(({ article }) => article === this.widget.state.article);
  }

  has(id) {
    return this.here().find((entry) => entry.id === id);
  }

  change(id, entry) {
    changeOwn(this.widget.site, id, entry);
  }

  show() {
    for (const entry of this.here()) {
      if (entry.status !== "approved" && !this.widget.thread.isShown(entry.id)) this.hold(entry);
      this.follow(entry);
    }
  }

  // Takes over a comment that the service has, with what was sent.
  take(taken, sent) {
    const { id, article, hints } = taken;
    const entry = rememberOwn(this.widget.site, taken, sent);
    const item = this.hold(entry);
    if ("held" in item.dataset && hints.length) doubt(this.widget, item, entry, hints[0], sent);
    this.widget.tell("submitted", { id, article });
    this.widget.announce(this.widget.words.held);
    find(item, "comment").focus();
    this.follow(entry);
  }

  // Shows a comment that nobody else can see yet.
  hold(entry) {
    const { thread, words } = this.widget;
    const present = thread.item(entry.id);
    if (present) return present;
    const item = make("li", "item", "", { id: `comment-${entry.id}`, "data-held": "", "data-apart": "" });
    if (entry.parent) item.dataset.parent = entry.parent;
    const article = make("article", "comment held", "", { tabindex: "-1", "aria-labelledby": `name-${entry.id}` });
    const byline = make("header", "byline");
    const time = make("time", "", "", { datetime: entry.at });
    thread.times.tell(time);
    byline.append(make("h3", "name", entry.name, { id: `name-${entry.id}`, dir: "auto" }), make("span", "soft date"));
    byline.lastElementChild.append(time);
    article.append(byline, make("p", "note", words.held), this.render(entry.text), make("footer", "actions"));
    item.append(article);
    thread.place(item);
    thread.refresh();
    return item;
  }

  // Shows a text as it was typed until the service has said how it will look.
  render(text) {
    const node = make("div", "plain", text, { dir: "auto" });
    post(api(`sites/${this.widget.site}/preview`), JSON.stringify({ text })).then(([answer, told]) => {
      if (!answer?.ok || !told) return;
      node.replaceChildren(parse(told.html));
      node.part.add("rendered");
    });
    return node;
  }

  async follow(entry) {
    try {
      const answer = await call(api(`receipts/${entry.token}`));
      if (answer.status === 404) this.forget(entry);
      else if (answer.ok) await this.view(entry, await answer.json());
    } catch { /* It is shown as it was last known. */ }
  }

  forget(entry) {
    this.change(entry.id);
    const item = this.widget.thread.item(entry.id);
    if (item && "held" in item.dataset) this.widget.thread.remove(entry.id);
    this.widget.thread.refresh();
  }

  async view(entry, receipt) {
    const { thread, words } = this.widget;
    if (["withdrawn", "erased"].includes(receipt.status)) return this.forget(entry);
    if (entry.status !== receipt.status) this.change(entry.id, { ...entry, ...this.has(entry.id), status: receipt.status });
    if (receipt.status === "approved" && !thread.isShown(entry.id)) await this.reveal(entry);
    const isHeld = ["pending", "rejected"].includes(receipt.status);
    const item = thread.item(entry.id) ?? (isHeld && this.hold(entry));
    if (!item) return;
    const note = inside(item, "note");
    if (receipt.status === "rejected" && note) {
      note.textContent = [words.rejected, receipt.statement].filter(Boolean).join(" ");
    }
    const waits = inside(item, "waits");
    if (!receipt.edit) waits?.remove();
    else if (!waits) inside(item, "text")?.after(make("p", "note waits", words.edit_waits));
    this.control(item, entry, receipt);
  }

  // It was approved, but not on the part of the list that is loaded, or just now.
  async reveal(entry) {
    const { site, thread, shadowRoot } = this.widget;
    const answer = await call(api(`sites/${site}/comments/${entry.id}`));
    if (!answer.ok) return thread.remove(entry.id);
    const comment = await answer.json();
    const focused = thread.item(entry.id)?.contains(shadowRoot.activeElement);
    // The stream may have been faster.
    if (!thread.isShown(entry.id)) thread.count += !thread.next && !thread.previous;
    const isApart = !thread.isNear(comment);
    const item = thread.put(comment);
    // It says nothing of how far the list is loaded.
    if (isApart) item.dataset.apart = "";
    if (focused && !shadowRoot.activeElement) find(item, "comment").focus();
    thread.refresh();
  }

  // The buttons that the receipt has room for; while they are the same they stay, and the focus on them.
  control(item, entry, { can, status, submitted_at: at }) {
    const { words, state, shadowRoot } = this.widget;
    const actions = inside(item, "actions");
    this.askAgain(entry, can.includes("edit") && Date.parse(at) + 1_000 * state.editSeconds);
    if (!actions || actions.dataset.own === `${status} ${can}`) return;
    actions.dataset.own = `${status} ${can}`;
    const before = shadowRoot.activeElement;
    const isLost = before?.part.contains("own") && actions.contains(before);
    for (const one of actions.querySelectorAll("[part~=own]")) one.remove();
    const run = (act) => ({ currentTarget }) => act(this.widget, item, this.has(entry.id) ?? entry, currentTarget);
    if (can.includes("edit")) actions.append(makeButton(words.edit, "quiet own edit", run(edit)));
    if (can.includes("withdraw") && status !== "rejected") actions.append(makeButton(words.withdraw, "quiet own", run(ask)));
    if (status === "rejected") actions.append(makeButton(words.dismiss, "quiet own", () => this.forget(entry)));
    actions.append(make("a", "link own date", words.follow, { href: entry.url, target: "_blank", rel: "noopener" }));
    if (!isLost) return;
    const same = [...actions.children].find((one) => one.textContent === before.textContent);
    (same ?? find(item, "comment")).focus();
  }

  // What can be corrected now cannot be for ever. The clocks may differ, and a timer takes no more than some weeks.
  askAgain(entry, end) {
    clearTimeout(this.timers[entry.id]);
    if (!end) return;
    const [least, most] = ASK_AGAIN_MS;
    const pause = Math.min(Math.max(end - Date.now(), least), most);
    this.timers[entry.id] = setTimeout(() => this.signal.aborted || this.follow(entry), pause);
  }
}

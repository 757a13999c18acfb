// The reader's own comments: followed, corrected and withdrawn by the receipts that this browser keeps.
const MAX_RECEIPTS = 50;
const MINUTE_MS = 60_000;
// A timer takes no more than some weeks.
const LONGEST_MS = 86_400_000;

// A part of the comment itself, not of what answers it.
const inside = (item, part) => find(find(item, "comment"), part);

// Reads anew before it writes, since other tabs write too.
function changeOwn(site, id, entry) {
  const others = ownOf(site).filter((one) => one.id !== id);
  keep("localStorage", ownKey(site), [...others, ...(entry ? [entry] : [])].slice(-MAX_RECEIPTS));
}

// Keeps the receipt of a comment that the service has, with what was sent.
function rememberOwn(site, { id, article, submitted_at: at, receipt }, { name, text, parent }) {
  const entry = { id, article, parent, at, since: Date.now(), ...receipt, name, text };
  changeOwn(site, id, entry);
  return entry;
}

// What the service last said of each, and when; and how their texts look. Both outlive a list that is made anew.
const known = new Map();
const looks = new Map();

class Own {
  constructor(widget) {
    Object.assign(this, { widget, key: ownKey(widget.site), signal: widget.signal, timers: {}, queue: [] });
    addEventListener("storage", ({ key }) => key === this.key && this.show(), { signal: widget.signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.show(), { signal: widget.signal });
    this.show();
    this.tellAgain();
  }

  // What is known of each is said anew where the list is.
  tellAgain() {
    for (const entry of this.here()) if (known.has(entry.id)) this.view(entry, known.get(entry.id).receipt);
  }

  here() {
    return ownOf(this.widget.site).filter(({ article }) => article === this.widget.state.article);
  }

  has(id) {
    return this.here().find((entry) => entry.id === id);
  }

  change(id, entry) {
    changeOwn(this.widget.site, id, entry);
  }

  // Shows what waits, and asks after what may have changed: one after the other, and each not every time that the
  // reader comes back.
  show() {
    const { thread } = this.widget;
    const here = this.here();
    for (const item of thread.items()) {
      // It was withdrawn or dismissed in another tab.
      if ("held" in item.dataset && !this.has(idOf(item))) this.drop(item);
    }
    for (const entry of here) if (entry.status !== "approved" && !thread.isShown(entry.id)) this.hold(entry);
    this.queue = here.filter((entry) => this.mayDiffer(entry)).reverse();
    this.askNext();
  }

  // What is decided changes no more unless a correction waits, and of what is taken down the stream tells.
  mayDiffer({ id, status }) {
    const item = this.widget.thread.item(id);
    if (!known.has(id)) return true;
    return Date.now() - known.get(id).at > MINUTE_MS && (status !== "approved" || (item && inside(item, "waits")));
  }

  async askNext() {
    if (this.isAsking) return;
    this.isAsking = true;
    clearTimeout(this.later);
    for (let entry; !this.signal.aborted && (entry = this.queue.shift()); ) {
      const answer = await this.follow(entry);
      if (answer?.ok || answer?.status === 404) continue;
      this.queue = [];
      if (answer?.status === 429) this.later = setTimeout(() => this.signal.aborted || this.show(), waitOf(answer));
    }
    this.isAsking = false;
  }

  // Takes over a comment that the service has, with what was sent; `lead` leads whoever waits for it to it.
  take(taken, sent, lead) {
    const { widget } = this;
    const { id, article, hints } = taken;
    const entry = rememberOwn(widget.site, taken, sent);
    const item = this.hold(entry);
    if ("held" in item.dataset && hints.length) doubt(widget, item, entry, hints[0], sent);
    widget.tell("submitted", { id, article });
    widget.announce(widget.words.held, true);
    // What it answers may have its answers folded away.
    widget.thread.unfold(item);
    lead(find(item, "comment"));
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
    changesOf(this.widget).place(item);
    thread.refresh();
    return item;
  }

  // Shows a text as it was typed until the service has said how it will look.
  render(text) {
    const node = make("div", "plain", text, { dir: "auto" });
    const show = (html) => {
      node.replaceChildren(parse(html));
      node.part.add("rendered");
    };
    if (looks.has(text)) show(looks.get(text));
    else post(api(`sites/${this.widget.site}/preview`), JSON.stringify({ text })).then(([answer, told]) => {
      if (!answer?.ok || !told) return;
      looks.set(text, told.html);
      show(told.html);
    });
    return node;
  }

  async follow(entry) {
    try {
      const answer = await call(api(`receipts/${entry.token}`));
      if (answer.status === 429) return answer;
      const told = await answer.json();
      if (this.signal.aborted) return answer;
      if (answer.status === 404) this.forget(entry);
      else if (answer.ok) await this.learn(entry, told);
      return answer;
    } catch { /* It is shown as it was last known. */ }
  }

  forget(entry) {
    this.change(entry.id);
    const item = this.widget.thread.item(entry.id);
    if (item && "held" in item.dataset) this.drop(item);
  }

  // The reader's own act ends a correction of the same comment too.
  giveUp(entry) {
    keep("sessionStorage", editKey(entry.id));
    this.widget.thread.item(entry.id)?.querySelector(":scope > [part~=editor]")?.remove();
    this.forget(entry);
  }

  // A correction that somebody is writing stays until they close it.
  drop(item) {
    const { thread } = this.widget;
    if (item.querySelector(":scope > [part~=editor]")) return;
    changesOf(this.widget).remove(idOf(item));
    thread.refresh();
  }

  learn(entry, receipt) {
    known.set(entry.id, { at: Date.now(), receipt });
    return this.view(entry, receipt);
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
    // One that was begun is open wherever its comment is shown.
    if (recall("sessionStorage", editKey(entry.id)) !== null) edit(this.widget, item, entry);
  }

  // It was approved, but not on the part of the list that is loaded, or just now.
  async reveal(entry) {
    const { site, thread } = this.widget;
    const changes = changesOf(this.widget);
    const answer = await call(api(`sites/${site}/comments/${entry.id}`));
    if (this.signal.aborted) return;
    if (!answer.ok) return changes.remove(entry.id);
    const comment = await answer.json();
    // The stream may have been faster.
    if (!thread.isShown(entry.id)) thread.count += !thread.next && !thread.previous;
    const isApart = !changes.isNear(comment);
    const item = changes.put(comment);
    // It says nothing of how far the list is loaded.
    if (isApart) item.dataset.apart = "";
    thread.refresh();
  }

  // The buttons that the receipt has room for; while they are the same they stay, and the focus on them.
  control(item, entry, { can, status }) {
    const { words, state } = this.widget;
    const actions = inside(item, "actions");
    // By one clock, which may be days off.
    const age = Date.now() - (entry.since ?? Date.parse(entry.at));
    this.askAgain(entry, can.includes("edit") && 1_000 * state.editSeconds - age);
    if (!actions || actions.dataset.own === `${status} ${can}`) return;
    actions.dataset.own = `${status} ${can}`;
    for (const one of actions.querySelectorAll("[part~=own]")) one.remove();
    const run = (act) => ({ currentTarget }) => act(this.widget, item, this.has(entry.id) ?? entry, currentTarget);
    const open = run((...given) => edit(...given).focus());
    if (can.includes("edit")) actions.append(makeButton(words.edit, "quiet own edit", open));
    if (can.includes("withdraw") && status !== "rejected") actions.append(makeButton(words.withdraw, "quiet own", run(ask)));
    if (status === "rejected") actions.append(makeButton(words.dismiss, "quiet own", () => this.giveUp(entry)));
    actions.append(make("a", "link own date", words.follow, { href: entry.url, target: "_blank", rel: "noopener" }));
  }

  // What can be corrected now cannot be for ever; `left` are milliseconds, or false.
  askAgain(entry, left) {
    clearTimeout(this.timers[entry.id]);
    if (left === false) return;
    // Where it should be over and is not, the service has its reasons.
    const pause = left > 0 ? Math.min(left + 1_000, LONGEST_MS) : MINUTE_MS;
    this.timers[entry.id] = setTimeout(() => this.signal.aborted || this.follow(entry), pause);
  }
}

// The part of the list that is loaded, and how the rest of it is come by.
class Part {
  // Whether the place of a comment is in the part of the list that is loaded.
  isNear({ id, parent }) {
    if (this.item(id) || this.item(parent)) return true;
    const ids = this.items().filter((one) => !("apart" in one.dataset)).map(idOf).sort();
    const isNewest = this.widget.order === "newest";
    const [older, newer] = isNewest ? [this.next, this.previous] : [this.previous, this.next];
    return (!older || id > ids[0]) && (!newer || id < ids.at(-1));
  }

  // What is not loaded may have been counted before.
  async recount() {
    const { site, state } = this.widget;
    const answer = await call(api(`sites/${site}/counts`, { article: state.article })).catch(() => null);
    if (!answer?.ok) return;
    const [count] = Object.values((await answer.json()).counts);
    this.newer = Math.max(0, this.newer + count - this.count);
    this.count = count;
    this.refresh();
  }

  // Where there is more it stays the same button, which may have the focus.
  offer(edge, text, place) {
    const button = ((this.buttons ??= {})[edge] ??= makeButton("", "quiet more", () => this.load("more", edge)));
    button.textContent = text;
    if (!this[edge]) button.remove();
    else if (!button.isConnected) this.list[place](button);
  }

  // Few want more than what is there from the beginning.
  load(what, which) {
    return later().then((tools) => tools[what](this, which), () => this.widget.announce(this.widget.words.unreachable));
  }

  // Leads to a comment, wherever in the list it is.
  async goTo(id) {
    if (!this.item(id)) await this.load("open", id);
    const item = this.item(id);
    if (!item) return;
    const details = this.widget.host.closest("details");
    if (details) details.open = true;
    for (let above = item; (above = this.above(above)); ) this.replies(above).hidden = false;
    this.refresh();
    find(item, "comment").focus();
  }

  // The page's own address may have changed since the link was made, and says nothing of the same one twice.
  follow(event) {
    // Not one that somebody has written into a text.
    const link = event.target.closest("[part~=date], [part~=answered] a");
    if (!link?.hash?.startsWith("#comment-") || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const { hash } = link;
    if (hash === location.hash) this.widget.goToHash();
    else location.hash = hash;
  }
}

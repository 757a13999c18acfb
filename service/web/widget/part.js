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
    const button = ((this.buttons ??= {})[edge] ??= makeButton("", "quiet more", () => this.more(edge)));
    button.textContent = text;
    if (!this[edge]) button.remove();
    else if (!button.isConnected) this.list[place](button);
  }

  // Gives a part of the list; null where there is no such one, and nothing where there is no answer.
  async ask(query) {
    const { site, state, order, limit } = this.widget;
    const url = api(`sites/${site}/comments`, { article: state.article, order, limit, ...query });
    const answer = await call(url).catch(() => null);
    return answer?.ok ? answer.json() : answer?.status === 404 ? null : undefined;
  }

  async more(edge) {
    const page = await this.ask({ cursor: this[edge] });
    const { words } = this.widget;
    this.widget.announce(page ? "" : words.unreachable);
    if (!page) return;
    const items = page.comments.map((comment) => this.put(comment));
    this.widget.seen.mark(items);
    Object.assign(this, { [edge]: page[edge], count: page.count });
    if (edge === "next") this.newer = 0;
    this.refresh();
    if (items.length) find(items.at(edge === "next" ? 0 : -1), "comment").focus();
  }

  // Leads to a comment, wherever in the list it is.
  async goTo(id) {
    // Few follow a link to what is not loaded.
    if (!this.item(id)) await later().then(({ open }) => open(this, id), () => this.widget.announce(this.widget.words.unreachable));
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

// The part of the list that is loaded, and how the rest of it is come by.
class Part {
  // Where there is more it stays the same button, which may have the focus.
  offer(edge, text, place) {
    const button = ((this.buttons ??= {})[edge] ??= makeButton("", "quiet more", () => this.load(edge)));
    button.textContent = text;
    if (!this[edge]) button.remove();
    else if (!button.isConnected) this.list[place](button);
  }

  // A later question makes void what is on its way of an earlier one, unless both want more at different ends; gives
  // whether this one is. `place` is "next", "previous" or, for another part of the list, "around".
  ask(place) {
    const asked = {};
    this.asked = { ...(place !== "around" && this.asked), around: 0, [place]: asked };
    return () => this.asked[place] !== asked || this.signal.aborted;
  }

  // Few want more than what is there from the beginning.
  async load(place, id) {
    const [isLate, lead] = [this.ask(place), leadLater()];
    const tools = await later().catch(() => null);
    if (isLate()) return;
    if (tools) tools.load(this, place, id, isLate, lead);
    else this.widget.announce(this.widget.words.unreachable);
  }

  // Leads to a comment, wherever in the list it is.
  goTo(id) {
    if (!this.item(id)) return this.load("around", id);
    this.ask("around");
    this.reach(id, leadLater());
  }

  reach(id, lead) {
    for (let node = this.widget.host; (node = node.parentElement?.closest("details")); ) node.open = true;
    this.unfold(this.item(id));
    lead(find(this.item(id), "comment"));
  }

  unfold(item) {
    while ((item = this.above(item))) this.replies(item).hidden = false;
    this.refresh();
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

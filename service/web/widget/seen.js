// What came since the reader was here last.
const MAX_SEEN = 100;

class Seen {
  constructor(widget) {
    this.widget = widget;
    const key = `greenroom:${widget.site}:seen`;
    const { article } = widget.state;
    const before = recallAll("localStorage", key)[article];
    // Of a list that is only loaded anew, such as in another order, the same is new.
    this.last = widget.seen?.article === article ? widget.seen.last : before;
    Object.assign(this, { article, key, newest: before ?? "" });
    this.mark(widget.thread.items());
  }

  // Ids rise with time. The reader's own comments are new to nobody.
  mark(items, isNew = (item) => this.last && idOf(item) > this.last) {
    const { site, thread, words } = this.widget;
    this.newest = [this.newest, ...items.map(idOf)].sort().at(-1);
    // Read anew, since other discussions on the page write too.
    const { [this.article]: _, ...others } = recallAll("localStorage", this.key);
    keep("localStorage", this.key, Object.fromEntries([...Object.entries(others), [this.article, this.newest]].slice(-MAX_SEEN)));
    const own = ownOf(site).map(({ id }) => id);
    for (const item of items) {
      if (!isNew(item) || own.includes(idOf(item)) || !thread.own(item, "text") || thread.own(item, "fresh")) continue;
      find(item, "comment").part.add("new");
      thread.own(item, "byline").append(make("span", "badge fresh", words.new));
    }
  }
}

// What is approved or removed while the page is open. Browsers open no more than six connections to one server.
const MAX_STREAMS = 3;
let streams = 0;

class Live {
  constructor(widget) {
    this.widget = widget;
    this.after = widget.state.revision;
    document.addEventListener("visibilitychange", () => this.turn(), { signal: widget.signal });
    widget.signal.addEventListener("abort", () => this.close());
    this.turn();
  }

  // A browser opens few connections to one server, so a page that nobody looks at has none.
  turn() {
    if (document.hidden) this.close();
    else if (!this.source && !this.widget.signal.aborted && streams < MAX_STREAMS) this.open();
  }

  open() {
    const { site, state } = this.widget;
    streams += 1;
    this.source = new EventSource(api(`sites/${site}/comments/stream`, { article: state.article, after: String(this.after) }));
    const hear = (act) => ({ data, lastEventId }) => {
      this.after = lastEventId || this.after;
      act(JSON.parse(data));
    };
    this.source.addEventListener("approved", hear((comment) => this.widget.approve(comment)));
    this.source.addEventListener("removed", hear(({ id }) => this.widget.remove(id)));
    this.source.addEventListener("error", () => {
      // The browser comes back by itself unless it was refused: then much later, and not all at once.
      if (this.source?.readyState !== EventSource.CLOSED) return;
      this.close();
      this.timer = setTimeout(() => this.turn(), 30_000 * (1 + Math.random()));
    });
  }

  close() {
    clearTimeout(this.timer);
    if (!this.source) return;
    streams -= 1;
    this.source.close();
    this.source = null;
  }
}

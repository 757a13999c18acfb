// What is approved or removed while the page is open. Browsers open no more than six connections to one server.
const MAX_STREAMS = 3;
let streams = 0;

class Live {
  constructor(widget) {
    Object.assign(this, { widget, signal: widget.signal, after: widget.state.revision });
    document.addEventListener("visibilitychange", () => this.turn(), { signal: this.signal });
    this.signal.addEventListener("abort", () => this.close());
    this.turn();
  }

  // A browser opens few connections to one server, so a page that nobody looks at has none.
  turn() {
    if (document.hidden) this.close();
    else if (!this.source && !this.signal.aborted && streams < MAX_STREAMS) this.open();
  }

  open() {
    const { site, state } = this.widget;
    streams += 1;
    this.source = new EventSource(api(`sites/${site}/comments/stream`, { article: state.article, after: String(this.after) }));
    for (const name of ["approved", "removed"]) this.source.addEventListener(name, (event) => this.hear(name, event));
    // The browser comes back by itself unless it was refused.
    this.source.addEventListener("error", () => this.source?.readyState === EventSource.CLOSED && this.rest());
  }

  // Few pages are open when something happens, so what changes the list comes then. Without it the stream begins
  // anew later where it was.
  async hear(name, { data, lastEventId }) {
    const tools = await later().catch(() => this.rest());
    if (!tools || this.signal.aborted) return;
    tools.changesOf(this.widget)[name](JSON.parse(data));
    this.after = lastEventId || this.after;
  }

  // Much later, and not all at once.
  rest() {
    this.close();
    this.timer = setTimeout(() => this.turn(), 30_000 * (1 + Math.random()));
  }

  close() {
    clearTimeout(this.timer);
    if (!this.source) return;
    streams -= 1;
    this.source.close();
    this.source = null;
  }
}

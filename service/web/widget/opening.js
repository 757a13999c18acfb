// Gives a part of the list; null where there is no such one, and nothing where there is no answer.
async function askPart({ widget }, query) {
  const { site, state, order, limit } = widget;
  const url = api(`sites/${site}/comments`, { article: state.article, order, limit, ...query });
  const answer = await call(url).catch(() => null);
  return answer?.ok ? answer.json() : answer?.status === 404 ? null : undefined;
}

// Shows what comes before or after the part that is shown.
async function more(thread, edge) {
  const { widget } = thread;
  const page = await askPart(thread, { cursor: thread[edge] });
  widget.announce(page ? "" : widget.words.unreachable);
  if (!page) return;
  const items = page.comments.map((comment) => thread.put(comment));
  widget.seen.mark(items);
  Object.assign(thread, { [edge]: page[edge], count: page.count });
  if (edge === "next") thread.newer = 0;
  thread.refresh();
  if (items.length) find(items.at(edge === "next" ? 0 : -1), "comment").focus();
}

// Shows the part of the list round a comment, in the place of what was shown.
async function open(thread, id) {
  const { widget } = thread;
  const page = await askPart(thread, { around: id });
  if (!page) {
    return widget.announce(page === null ? widget.words.removed : widget.words.unreachable);
  }
  widget.form.goHome();
  thread.list.replaceChildren();
  const items = page.comments.map((comment) => thread.put(comment));
  widget.seen.mark(items);
  Object.assign(thread, { next: page.next, previous: page.previous, count: page.count, newer: 0 });
  thread.refresh();
  const { reply } = widget;
  const answered = reply?.draft.parent && thread.item(reply.draft.parent);
  if (answered) reply.answer(answered);
  widget.own?.show();
}

// Gives a part of the list; null where there is no such one, and nothing where there is no answer.
async function askPart({ widget }, query) {
  const { site, state, order, limit } = widget;
  const url = api(`sites/${site}/comments`, { article: state.article, order, limit, ...query });
  const answer = await call(url).catch(() => null);
  return answer?.ok ? answer.json().catch(() => undefined) : answer?.status === 404 ? null : undefined;
}

const load = (thread, place, id, ...when) => (id ? open(thread, id, ...when) : more(thread, place, ...when));

// Shows what comes before or after the part that is shown.
async function more(thread, edge, isLate, lead) {
  const { widget } = thread;
  const page = await askPart(thread, { cursor: thread[edge] });
  if (isLate()) return;
  widget.announce(page ? "" : widget.words.unreachable);
  if (!page) return;
  const items = put(thread, page);
  Object.assign(thread, { [edge]: page[edge], count: page.count });
  if (edge === "next") thread.newer = 0;
  thread.refresh();
  const comments = items.map((item) => find(item, "comment")).filter(isSeen);
  const first = comments.at(edge === "next" ? 0 : -1);
  // Where all of it is folded away, the last that is not.
  lead(first ?? find(thread.list.lastElementChild, "comment"));
}

// Shows the part of the list round a comment, in the place of what was shown.
async function open(thread, id, isLate, lead) {
  const { widget } = thread;
  const { form, words, own } = widget;
  const page = await askPart(thread, { around: id });
  if (isLate()) return;
  // It may be one of another discussion on the page.
  if (page === null && WIDGETS.size > 1) return;
  if (!page) return widget.announce(page === null ? words.removed : words.unreachable);
  form.moveBehind(form.home);
  thread.list.replaceChildren();
  put(thread, page);
  Object.assign(thread, { next: page.next, previous: page.previous, count: page.count, newer: 0 });
  const { parent } = form.draft;
  if (thread.isShown(parent)) form.answer(thread.item(parent));
  own?.show();
  own?.tellAgain();
  if (thread.item(id)) thread.reach(id, lead);
}

function put(thread, page) {
  const items = page.comments.map((comment) => changesOf(thread.widget).put(comment));
  thread.widget.seen.mark(items);
  return items;
}

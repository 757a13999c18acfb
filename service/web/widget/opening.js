// Shows the part of the list round a comment, in the place of what was shown.
async function open(thread, id) {
  const { widget } = thread;
  const page = await thread.ask({ around: id });
  if (!page) {
    return widget.announce(page === null ? widget.words.removed : widget.words.unreachable);
  }
  const form = widget.reply;
  form?.home.after(form.form);
  thread.list.replaceChildren();
  const items = page.comments.map((comment) => thread.put(comment));
  widget.seen.mark(items);
  Object.assign(thread, { next: page.next, previous: page.previous, count: page.count, newer: 0 });
  thread.refresh();
  const answered = form?.draft.parent && thread.item(form.draft.parent);
  if (answered) form.answer(answered, false);
  widget.own?.show();
}

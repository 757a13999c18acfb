// What changes in the list after it was shown: comments that come, change and go.
const COUNT_MS = 500;
const changesOf = (widget) => (widget.changes ??= new Changes(widget));

class Changes {
  constructor(widget) {
    Object.assign(this, { widget, thread: widget.thread });
  }

  // Takes an approved comment from the stream; gives its item, or nothing where its place is not loaded yet.
  approved(comment) {
    const { widget, thread } = this;
    const { words } = widget;
    const wasShown = thread.isShown(comment.id);
    const isPart = thread.next || thread.previous;
    if (isPart) this.recount();
    else thread.count += !wasShown;
    const item = this.isNear(comment) && this.put(comment);
    if (item && !wasShown) widget.seen.mark([item], () => true);
    thread.newer -= Boolean(isPart && item && !wasShown);
    thread.refresh();
    const own = widget.own?.has(comment.id);
    if (own) widget.own.follow(own);
    if (!wasShown) widget.announce(own ? words.published : `${words.newer}: ${comment.name}`, Boolean(item));
    widget.tell("approved", { comment, item });
  }

  removed({ id }) {
    this.depart(id);
    this.widget.tell("removed", { id });
    const own = this.widget.own?.has(id);
    if (own) this.widget.own.follow(own);
  }

  depart(id) {
    const { thread } = this;
    if (thread.next || thread.previous) this.recount();
    else thread.count -= thread.isShown(id);
    this.remove(id);
    thread.refresh();
  }

  // What is not loaded may have been counted before. Once for all that happens within some seconds.
  recount() {
    this.counting ??= setTimeout(() => this.count(), COUNT_MS * (1 + Math.random()));
  }

  async count() {
    this.counting = null;
    const { widget, thread } = this;
    const { site, state, signal } = widget;
    const answer = await call(api(`sites/${site}/counts`, { article: state.article })).catch(() => null);
    if (!answer?.ok) return;
    const [count] = Object.values((await answer.json()).counts);
    if (signal.aborted) return;
    thread.newer = Math.max(0, thread.newer + count - thread.count);
    thread.count = count;
    thread.refresh();
  }

  // Whether the place of a comment is in the part of the list that is loaded.
  isNear({ id, parent }) {
    const { thread, widget } = this;
    if (thread.item(id) || thread.item(parent)) return true;
    const ids = thread.items().filter((one) => !("apart" in one.dataset)).map(idOf).sort();
    const isNewest = widget.order === "newest";
    const [older, newer] = isNewest ? [thread.next, thread.previous] : [thread.previous, thread.next];
    return (!older || id > ids[0]) && (!newer || id < ids.at(-1));
  }

  // Puts a comment where it belongs, or its new state in the place of the old one.
  put(comment) {
    const { thread, widget } = this;
    const made = thread.blank.cloneNode(true);
    made.id = `comment-${comment.id}`;
    if (comment.parent) made.dataset.parent = comment.parent;
    const article = find(made, "comment");
    if (comment.name === null) article.replaceChildren(make("p", "soft removed", widget.words.removed));
    else this.fill(article, comment);
    const item = thread.item(comment.id) ?? made;
    if (item === made) this.place(made);
    else this.replace(item, article);
    if (thread.depth(item) >= widget.state.maxDepth) find(article, "reply")?.remove();
    thread.dress(item);
    return item;
  }

  replace(item, article) {
    const old = find(item, "comment");
    find(article, "actions")?.append(...old.querySelectorAll("[part~=own], [part~=fold]"));
    old.replaceWith(article);
    delete item.dataset.held;
    delete item.dataset.apart;
  }

  fill(article, comment) {
    const { words } = this.widget;
    find(article, "avatar").src = new URL(comment.avatar, SERVICE);
    const name = find(article, "name");
    name.id = `name-${comment.id}`;
    article.setAttribute("aria-labelledby", name.id);
    if (comment.url) Object.assign(name.firstElementChild, { href: comment.url, textContent: comment.name });
    else name.textContent = comment.name;
    if (comment.badge) find(article, "badge").textContent = words[comment.badge];
    else find(article, "badge").remove();
    if (!comment.edited) find(article, "edited").remove();
    article.querySelector("time").dateTime = comment.created_at;
    find(article, "text").replaceChildren(parse(comment.html));
    find(article, "reply")?.setAttribute("aria-label", say(words.reply_to, comment));
  }

  // Ids rise with time, and so their order is the list's; a conversation is read from its beginning.
  place(item) {
    const { thread, widget } = this;
    const above = item.dataset.parent && thread.item(item.dataset.parent);
    const list = above ? thread.replies(above) : thread.list;
    const isNewest = !above && widget.order === "newest";
    const after = [...list.children].find((one) => (isNewest ? one.id < item.id : one.id > item.id));
    list.insertBefore(item, after ?? null);
    // What answers it may have come before it.
    const below = [...thread.list.children].filter((one) => `comment-${one.dataset.parent}` === item.id);
    for (const one of below) {
      this.place(one);
      thread.dress(one);
    }
  }

  remove(id) {
    const { thread, widget } = this;
    const item = thread.item(id);
    if (!item) return;
    if (widget.form.draft.parent === id) widget.form.answerNobody();
    find(item, "comment").replaceChildren(make("p", "soft removed", widget.words.removed));
    this.prune(item);
  }

  // What is gone keeps its place only while something answers it.
  prune(item) {
    const { thread } = this;
    const list = item && thread.replies(item);
    if (!list || list.children.length) return;
    list.remove();
    thread.own(item, "fold")?.remove();
    if (!thread.own(item, "removed")) return;
    const above = thread.above(item);
    item.remove();
    this.prune(above);
  }
}

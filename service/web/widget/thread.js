// The list: comments in the order of their ids, each under the one that it answers.
class Thread {
  constructor(widget) {
    Object.assign(this, { widget, list: find(widget.section, "list"), next: widget.state.next });
    this.blank = widget.section.querySelector("template").content.firstElementChild;
    this.count = widget.state.count;
    this.newer = 0;
    for (const time of this.list.querySelectorAll("time")) this.tell(time);
    this.refresh();
    this.list.addEventListener("click", ({ target }) => {
      const reply = target.closest("[part~=reply]");
      if (reply) widget.form.answer(reply.closest("li"));
    });
  }

  tell(time) {
    const date = new Date(time.dateTime);
    time.textContent = this.widget.date(date);
    time.title = date.toLocaleString(this.widget.language);
  }

  item(id) {
    return this.widget.section.querySelector(`#comment-${id}`);
  }

  depth(item) {
    let depth = 0;
    while ((item = item.parentElement.closest("li"))) depth += 1;
    return depth;
  }

  // Puts a comment where it belongs, or its new state in the place of the old one.
  put(comment) {
    const made = this.blank.cloneNode(true);
    made.id = `comment-${comment.id}`;
    if (comment.parent) made.dataset.parent = comment.parent;
    const article = find(made, "comment");
    if (comment.name === null) article.replaceChildren(make("p", "soft removed", this.widget.words.removed));
    else this.fill(article, comment);
    const present = this.item(comment.id);
    if (present) {
      find(present, "comment").replaceWith(article);
      delete present.dataset.held;
    } else {
      this.place(made);
    }
    const item = present ?? made;
    if (this.depth(item) >= this.widget.state.maxDepth) find(article, "reply")?.remove();
    return item;
  }

  fill(article, comment) {
    find(article, "avatar").src = new URL(comment.avatar, SERVICE);
    const name = find(article, "name");
    if (comment.url) Object.assign(name.firstElementChild, { href: comment.url, textContent: comment.name });
    else name.textContent = comment.name;
    if (comment.badge) find(article, "badge").textContent = this.widget.words[comment.badge];
    else find(article, "badge").remove();
    if (!comment.edited) find(article, "edited").remove();
    find(article, "date").href = `#comment-${comment.id}`;
    const time = article.querySelector("time");
    time.dateTime = comment.created_at;
    this.tell(time);
    find(article, "text").replaceChildren(parse(comment.html));
    find(article, "reply")?.setAttribute("aria-label", say(this.widget.words.reply_to, comment));
  }

  // Ids rise with time, and so their order is the list's.
  place(item) {
    const above = item.dataset.parent && this.item(item.dataset.parent);
    const list = above ? find(above, "replies") : this.list;
    const isNewest = this.widget.order === "newest";
    const after = [...list.children].find((one) => (isNewest ? one.id < item.id : one.id > item.id));
    list.insertBefore(item, after ?? null);
    const below = [...this.list.children].filter((one) => `comment-${one.dataset.parent}` === item.id);
    find(item, "replies").append(...below);
  }

  remove(id) {
    const item = this.item(id);
    if (!item) return;
    this.widget.form.leave(item);
    find(item, "comment").replaceChildren(make("p", "soft removed", this.widget.words.removed));
    this.prune(item);
  }

  // What is gone keeps its place only while something answers it.
  prune(item) {
    if (!item || !this.own(item, "removed") || find(item, "replies").children.length) return;
    const above = item.parentElement.closest("li");
    item.remove();
    this.prune(above);
  }

  // A part of the comment itself, not of what answers it.
  own(item, part) {
    return find(find(item, "comment"), part);
  }

  isShown(id) {
    const item = this.item(id);
    return Boolean(item && this.own(item, "text"));
  }

  // Takes an approved comment from the stream; gives its item, or nothing where its place is not loaded yet.
  arrive(comment) {
    const wasShown = this.isShown(comment.id);
    if (this.next) this.recount();
    else this.count += !wasShown;
    const isNear = !this.next || this.widget.order === "newest" || this.item(comment.id) || this.item(comment.parent);
    const item = isNear && this.put(comment);
    if (item && !wasShown) find(item, "comment").part.add("new");
    this.newer -= Boolean(this.next && item && !wasShown);
    this.refresh();
    return item;
  }

  depart(id) {
    if (this.next) this.recount();
    else this.count -= this.isShown(id);
    this.remove(id);
    this.refresh();
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

  refresh() {
    const { section, words, number } = this.widget;
    find(section, "count").textContent = number(this.count);
    find(section, "empty").hidden = Boolean(this.list.children.length);
    // It stays the same button, which may have the focus.
    this.button ??= makeButton("", "quiet more", () => this.more());
    this.button.textContent = this.newer > 0 ? `${words.more} · ${words.newer} (${number(this.newer)})` : words.more;
    if (!this.next) this.button.remove();
    else if (!this.button.isConnected) this.list.after(this.button);
  }

  async more() {
    const { site, state, order, words } = this.widget;
    try {
      const answer = await call(api(`sites/${site}/comments`, { article: state.article, order, cursor: this.next }));
      if (!answer.ok) throw answer;
      const page = await answer.json();
      const items = page.comments.map((comment) => this.put(comment));
      Object.assign(this, { next: page.next, count: page.count, newer: 0 });
      this.refresh();
      if (items.length) find(items[0], "comment").focus();
    } catch {
      this.widget.announce(words.failed);
    }
  }
}

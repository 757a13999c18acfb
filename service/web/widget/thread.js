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
      return present;
    }
    this.place(made);
    const { maxDepth } = this.widget.state;
    if (comment.name !== null && this.depth(made) >= maxDepth) find(article, "reply")?.remove();
    return made;
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
    if (find(item, "replies").children.length) {
      find(item, "comment").replaceChildren(make("p", "soft removed", this.widget.words.removed));
    } else {
      item.remove();
    }
  }

  isShown(id) {
    const item = this.item(id);
    return Boolean(item && !item.dataset.held && find(item, "text"));
  }

  // Takes an approved comment from the stream; gives its item, or nothing where its place is not loaded yet.
  arrive(comment) {
    const wasShown = this.isShown(comment.id);
    this.count += !wasShown;
    const isNear = !this.next || this.widget.order === "newest" || this.item(comment.id) || this.item(comment.parent);
    this.newer += !isNear;
    const item = isNear && this.put(comment);
    if (item && !wasShown) find(item, "comment").part.add("new");
    this.refresh();
    return item;
  }

  depart(id) {
    this.count -= this.isShown(id);
    this.remove(id);
    this.refresh();
  }

  refresh() {
    const { section, words, number } = this.widget;
    find(section, "count").textContent = number(this.count);
    find(section, "empty").hidden = Boolean(this.list.children.length);
    find(section, "more")?.remove();
    if (!this.next) return;
    const text = this.newer ? `${words.more} · ${words.newer} (${number(this.newer)})` : words.more;
    this.list.after(makeButton(text, "quiet more", () => this.more()));
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

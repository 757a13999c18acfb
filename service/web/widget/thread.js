// The list: comments in the order of their ids, each under the one that it answers.

// A reply this deep stands no further in than the one it answers (comments.css).
const LAST_INDENTED = 3;
class Thread {
  constructor(widget) {
    const { section, state } = widget;
    Object.assign(this, { widget, list: find(section, "list"), next: state.next, previous: state.previous, newer: 0, count: state.count });
    this.blank = section.querySelector("template").content.firstElementChild;
    this.times = new Times(widget, this.list);
    for (const item of this.items()) this.dress(item);
    this.tools = makeTools(widget);
    this.list.before(this.tools);
    this.refresh();
    this.list.addEventListener("click", ({ target }) => this.press(target));
  }

  press(target) {
    const pressed = target.closest("[part~=reply], [part~=fold], a[href*='#comment-']");
    if (!pressed) return;
    const item = pressed.closest("[part~=item]");
    if (pressed.part.contains("reply")) this.widget.form.answer(item);
    else if (pressed.part.contains("fold")) this.fold(this.replies(item));
    // The address is the browser's to change; it finds nothing in here, and says nothing of the same one twice.
    else setTimeout(() => this.widget.goToHash());
  }

  items() {
    return [...this.list.querySelectorAll("[part~=item]")];
  }

  item(id) {
    return this.widget.section.querySelector(`#comment-${id}`);
  }

  above(item) {
    return item.parentElement.closest("[part~=item]");
  }

  depth(item) {
    let depth = 0;
    while ((item = this.above(item))) depth += 1;
    return depth;
  }

  // The list of what answers an item; there is none as long as nothing does.
  replies(item) {
    const last = item.lastElementChild;
    if (last.part.contains("replies")) return last;
    const list = make("ol", "replies");
    item.append(list);
    return list;
  }

  // Puts a comment where it belongs, or its new state in the place of the old one.
  put(comment) {
    const made = this.blank.cloneNode(true);
    made.id = `comment-${comment.id}`;
    if (comment.parent) made.dataset.parent = comment.parent;
    const article = find(made, "comment");
    if (comment.name === null) article.replaceChildren(make("p", "soft removed", this.widget.words.removed));
    else this.fill(article, comment);
    const item = this.item(comment.id) ?? made;
    if (item === made) this.place(made);
    else this.replace(item, article);
    if (this.depth(item) >= this.widget.state.maxDepth) find(article, "reply")?.remove();
    this.dress(item);
    return item;
  }

  // The reader may be at one of its buttons just now.
  replace(item, article) {
    const old = find(item, "comment");
    const focused = this.widget.shadowRoot.activeElement;
    const hadFocus = old.contains(focused);
    find(article, "actions")?.append(...old.querySelectorAll("[part~=own], [part~=fold]"));
    old.replaceWith(article);
    delete item.dataset.held;
    if (!hadFocus) return;
    const same = [...article.querySelectorAll("[part]")].find((one) => one.getAttribute("part") === focused.getAttribute("part"));
    (article.contains(focused) ? focused : same ?? article).focus();
  }

  fill(article, comment) {
    find(article, "avatar").src = new URL(comment.avatar, SERVICE);
    const name = find(article, "name");
    name.id = `name-${comment.id}`;
    article.setAttribute("aria-labelledby", name.id);
    if (comment.url) Object.assign(name.firstElementChild, { href: comment.url, textContent: comment.name });
    else name.textContent = comment.name;
    if (comment.badge) find(article, "badge").textContent = this.widget.words[comment.badge];
    else find(article, "badge").remove();
    if (!comment.edited) find(article, "edited").remove();
    article.querySelector("time").dateTime = comment.created_at;
    find(article, "text").replaceChildren(parse(comment.html));
    find(article, "reply")?.setAttribute("aria-label", say(this.widget.words.reply_to, comment));
  }

  // What depends on the page around, the clock, and where the item stands.
  dress(item) {
    const time = find(item, "comment").querySelector("time");
    if (!time) return;
    this.times.tell(time);
    Object.assign(time.parentElement, { href: addressOf(idOf(item)) });
    this.nameAnswered(item);
  }

  // Says whom a reply answers, where its place does not.
  nameAnswered(item) {
    const { parent } = item.dataset;
    if (!parent) return;
    const { words } = this.widget;
    const above = this.above(item);
    const name = above && this.own(above, "name")?.textContent;
    const present = this.own(item, "answered");
    // The service knows the names of those that are not loaded.
    if (present && !above) return Object.assign(present.firstElementChild, { href: addressOf(parent) });
    present?.remove();
    if (above && this.depth(item) <= LAST_INDENTED) return;
    const text = name ? say(words.in_reply_to, { name }) : words.in_reply_to_earlier;
    const told = make("p", "soft answered");
    told.append(make("a", "link", text, { href: addressOf(parent) }));
    this.own(item, "byline").after(told);
  }

  // Ids rise with time, and so their order is the list's; a conversation is read from its beginning.
  place(item) {
    const above = item.dataset.parent && this.item(item.dataset.parent);
    const list = above ? this.replies(above) : this.list;
    const isNewest = !above && this.widget.order === "newest";
    const after = [...list.children].find((one) => (isNewest ? one.id < item.id : one.id > item.id));
    list.insertBefore(item, after ?? null);
    const below = [...this.list.children].filter((one) => `comment-${one.dataset.parent}` === item.id);
    for (const one of below) {
      this.replies(item).append(one);
      this.nameAnswered(one);
    }
  }

  remove(id) {
    const item = this.item(id);
    if (!item) return;
    this.widget.form.leave(item);
    const hadFocus = item.contains(this.widget.shadowRoot.activeElement);
    const near = [item, item.nextElementSibling, item.previousElementSibling, this.above(item)];
    find(item, "comment").replaceChildren(make("p", "soft removed", this.widget.words.removed));
    this.prune(item);
    if (!hadFocus) return;
    const left = near.find((one) => one?.isConnected);
    (left ? find(left, "comment") : this.widget.form.title).focus();
  }

  // What is gone keeps its place only while something answers it.
  prune(item) {
    const list = item && this.replies(item);
    if (!list || list.children.length) return;
    list.remove();
    this.own(item, "fold")?.remove();
    if (!this.own(item, "removed")) return;
    const above = this.above(item);
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
    const isPart = this.next || this.previous;
    if (isPart) this.recount();
    else this.count += !wasShown;
    const item = this.isNear(comment) && this.put(comment);
    if (item && !wasShown) this.widget.seen.mark([item], () => true);
    this.newer -= Boolean(isPart && item && !wasShown);
    this.refresh();
    return item;
  }

  // Whether the place of a comment is in the part of the list that is loaded.
  isNear({ id, parent }) {
    if (this.item(id) || this.item(parent)) return true;
    const ids = this.items().filter((one) => !("held" in one.dataset)).map(idOf).sort();
    const isNewest = this.widget.order === "newest";
    const [older, newer] = isNewest ? [this.next, this.previous] : [this.previous, this.next];
    return (!older || id > ids[0]) && (!newer || id < ids.at(-1));
  }

  depart(id) {
    if (this.next || this.previous) this.recount();
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
    this.list.hidden = !this.list.children.length;
    find(section, "empty").hidden = !this.list.hidden;
    this.tools.hidden = this.list.hidden;
    for (const list of this.list.querySelectorAll("[part~=replies]")) this.nameFold(list);
    const newer = this.newer > 0 ? ` · ${words.newer} (${number(this.newer)})` : "";
    this.offer("previous", words.previous, "before");
    this.offer("next", words.more + newer, "after");
  }

  // Where there is more it stays the same button, which may have the focus.
  offer(edge, text, place) {
    const button = ((this.buttons ??= {})[edge] ??= makeButton("", "quiet more", () => this.more(edge)));
    button.textContent = text;
    if (!this[edge]) button.remove();
    else if (!button.isConnected) this.list[place](button);
  }

  fold(list) {
    list.hidden = !list.hidden;
    this.nameFold(list);
  }

  // What answers a comment can be folded away.
  nameFold(list) {
    const item = list.parentElement;
    let button = this.own(item, "fold");
    if (!button) {
      button = make("button", "button quiet fold", "", { type: "button" });
      (this.own(item, "actions") ?? find(item, "comment")).append(button);
    }
    button.textContent = say(this.widget.words.replies, { count: this.widget.number(list.querySelectorAll("[part~=item]").length) });
    button.setAttribute("aria-expanded", !list.hidden);
  }

  // Gives a part of the list; null where there is no such one, and nothing where there is no answer.
  async ask(query) {
    const { site, state, order, limit } = this.widget;
    const url = api(`sites/${site}/comments`, { article: state.article, order, limit, ...query });
    const answer = await call(url).catch(() => null);
    return answer?.ok ? answer.json() : answer?.status === 404 ? null : undefined;
  }

  async more(edge) {
    const page = await this.ask({ cursor: this[edge] });
    if (!page) return this.widget.announce(this.widget.words.failed);
    const items = page.comments.map((comment) => this.put(comment));
    this.widget.seen.mark(items);
    Object.assign(this, { [edge]: page[edge], count: page.count });
    if (edge === "next") this.newer = 0;
    this.refresh();
    const item = items.at(edge === "next" ? 0 : -1);
    if (item) find(item, "comment").focus();
  }

  // Leads to a comment, wherever in the list it is.
  async goTo(id) {
    if (!this.item(id) && !(await this.open(id))) return;
    const item = this.item(id);
    for (let above = item; (above = this.above(above)); ) this.replies(above).hidden = false;
    this.refresh();
    find(item, "comment").focus();
  }

  // Shows the part of the list round a comment, in the place of what was shown; tells whether there is such a one.
  async open(id) {
    const { widget } = this;
    const page = await this.ask({ around: id });
    if (!page) {
      widget.announce(page === null ? widget.words.removed : widget.words.failed);
      return false;
    }
    const { form } = widget;
    form.home.after(form.form);
    this.list.replaceChildren();
    const items = page.comments.map((comment) => this.put(comment));
    this.widget.seen.mark(items);
    Object.assign(this, { next: page.next, previous: page.previous, count: page.count, newer: 0 });
    this.refresh();
    const answered = form.draft.parent && this.item(form.draft.parent);
    if (answered) form.answer(answered, false);
    widget.own?.show();
    return true;
  }
}

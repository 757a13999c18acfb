// The list: comments in the order of their ids, each under the one that it answers.

// A reply this deep stands no further in than the one it answers (comments.css).
const LAST_INDENTED = 3;
class Thread extends Part {
  constructor(widget) {
    super();
    const { section, state } = widget;
    Object.assign(this, { widget, list: find(section, "list"), next: state.next, previous: state.previous, newer: 0, count: state.count });
    this.blank = section.querySelector("template").content.firstElementChild;
    this.times = new Times(widget, this.list);
    for (const item of this.items()) this.dress(item);
    this.tools = makeTools(widget);
    this.list.before(this.tools);
    this.refresh();
    this.list.addEventListener("click", (event) => {
      this.press(event.target);
      this.follow(event);
    });
  }

  press(target) {
    const pressed = target.closest("[part~=reply], [part~=fold]");
    const item = target.closest("[part~=item]");
    if (pressed?.part.contains("reply")) this.widget.form.answer(item);
    else if (pressed) this.fold(this.replies(item));
  }

  items() {
    return [...this.list.querySelectorAll("[part~=item]")];
  }

  item(id) {
    return this.widget.section.querySelector(`#${CSS.escape(`comment-${id}`)}`);
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
    delete item.dataset.apart;
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
    const { form, reply } = this.widget;
    if (form.form.closest("[part~=item]") === item) (reply ?? form).goHome();
    const hadFocus = item.contains(this.widget.shadowRoot.activeElement);
    const near = [item, item.nextElementSibling, item.previousElementSibling, this.above(item)];
    find(item, "comment").replaceChildren(make("p", "soft removed", this.widget.words.removed));
    this.prune(item);
    if (!hadFocus) return;
    const left = near.find((one) => one?.isConnected);
    (left ? find(left, "comment") : this.widget.section).focus();
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

  depart(id) {
    if (this.next || this.previous) this.recount();
    else this.count -= this.isShown(id);
    this.remove(id);
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

  fold(list) {
    const { form } = this.widget;
    if (list.contains(form.form)) form.goHome();
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

}

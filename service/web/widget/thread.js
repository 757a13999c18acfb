// The list: comments in the order of their ids, each under the one that it answers.

// A reply this deep stands no further in than the one it answers (comments.css).
const LAST_INDENTED = 3;
class Thread extends Part {
  constructor(widget) {
    super();
    const { section, state, signal } = widget;
    Object.assign(this, { widget, signal, list: find(section, "list"), next: state.next, previous: state.previous, newer: 0, count: state.count });
    this.blank = section.querySelector("template").content.firstElementChild;
    this.times = new Times(widget, this.list);
    this.dressAll();
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
    const { form } = this.widget;
    if (pressed?.part.contains("fold")) this.fold(this.replies(item));
    if (!pressed?.part.contains("reply")) return;
    form.answer(item);
    form.fields.text.focus();
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

  dressAll() {
    for (const item of this.items()) this.dress(item);
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

  // A part of the comment itself, not of what answers it.
  own(item, part) {
    return find(find(item, "comment"), part);
  }

  isShown(id) {
    const item = this.item(id);
    return Boolean(item && this.own(item, "text"));
  }

  refresh() {
    const { section, words, number } = this.widget;
    find(section, "count").textContent = number(this.count);
    this.list.hidden = !this.list.children.length;
    find(section, "empty").hidden = !this.list.hidden;
    this.tools.hidden = this.list.hidden;
    find(this.tools, "order").hidden = this.count < 2;
    for (const list of this.list.querySelectorAll("[part~=replies]")) this.nameFold(list);
    const newer = this.newer > 0 ? ` · ${words.newer} (${number(this.newer)})` : "";
    this.offer("previous", words.previous, "before");
    this.offer("next", words.more + newer, "after");
  }

  fold(list) {
    const { form } = this.widget;
    if (list.contains(form.form)) form.moveBehind(form.home);
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

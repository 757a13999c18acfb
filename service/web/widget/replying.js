// The form: what was typed stays, whatever happens, until the service has it.
class ReplyForm {
  constructor(widget) {
    const form = find(widget.section, "form");
    // Another article's comments may come while something is on its way.
    const { site, state, signal } = widget;
    Object.assign(this, { widget, site, state, signal, form, fields: form.elements });
    this.button = find(form, "submit");
    this.title = find(form, "form-title");
    this.key = draftKey(site, state.article);
    this.draft = recallAll("sessionStorage", this.key);
    this.title.tabIndex = -1;
    this.fields.text.after(find(form, "counter"));
    this.restore();
    form.addEventListener("input", () => {
      this.note();
      // What is being changed is sent when its author says so.
      if (!this.isWaiting) return;
      this.isWaiting = false;
      find(form, "summary")?.remove();
      this.sending?.rest();
    });
    addEventListener("online", () => this.isWaiting && this.send(), { signal: widget.signal });
  }

  // Takes up the draft of this tab, whose fields are filled in already.
  restore() {
    if (!/^[0-9a-f-]{36}$/.test(this.draft.parent)) delete this.draft.parent;
    const { parent, parentName } = this.draft;
    if (parent && this.widget.thread.isShown(parent)) this.answer(this.widget.thread.item(parent));
    else if (parent) this.aim(parentName);
    if (this.fields.text.value && !this.widget.state.open) this.close();
    this.note();
  }

  // Comments were closed, but somebody had something to say, and may want to have it back.
  close() {
    this.form.hidden = false;
    this.button.hidden = true;
    this.fields.text.readOnly = true;
  }

  note() {
    for (const name of TYPED) this.draft[name] = this.fields[name].value;
    this.draft.remember = this.fields.remember.checked;
    keep("sessionStorage", this.key, this.draft);
    const left = this.widget.state.maxChars - [...this.fields.text.value.trim()].length;
    const counter = find(this.form, "counter");
    counter.hidden = left > Math.min(200, this.widget.state.maxChars / 5);
    const told = say(this.widget.words.characters_left, { count: this.widget.number(left) });
    if (counter.textContent !== told) counter.textContent = told;
  }

  answer(item) {
    // It may have been removed since somebody wished to answer it.
    if (!this.widget.thread.isShown(idOf(item))) return this.goHome();
    this.draft.parent = idOf(item);
    this.aim(find(item, "name").textContent, item);
    // Those below may have been folded away, and this one with them.
    if (!item.closest("[hidden]")) this.widget.form.moveBehind(find(item, "comment"));
    this.note();
  }

  // Says whom the comment will answer; that one may be on a part of the list which is not loaded.
  aim(name, item) {
    const { words } = this.widget;
    this.draft.parentName = name;
    this.title.textContent = say(words.reply_to, { name });
    find(this.form, "cancel")?.remove();
    this.button.after(makeButton(words.cancel, "quiet cancel", () => {
      this.goHome();
      (item ? find(item, "reply") : this.fields.text)?.focus();
    }));
  }

  goHome() {
    delete this.draft.parent;
    this.title.textContent = this.widget.words.title;
    find(this.form, "cancel")?.remove();
    this.widget.form.goHome();
    this.note();
  }

  send() {
    return (this.sending ??= new Sending(this)).send();
  }

  busy(isBusy) {
    const { words } = this.widget;
    this.isBusy = isBusy;
    this.button.setAttribute("aria-disabled", isBusy);
    this.button.textContent = isBusy ? words.sending : this.isWaiting ? words.retry : words.submit;
  }

  // What stood in it is stored.
  empty() {
    this.fields.text.value = "";
    find(this.form, "previewed")?.remove();
    this.goHome();
    this.draft = {};
    keep("sessionStorage", this.key);
  }

  preview() {
    preview(this.widget, this.form, this.fields.text);
  }

  complain(...sentences) {
    find(this.form, "summary")?.remove();
    const summary = make("p", "summary", "", { role: "alert", tabindex: "-1" });
    this.title.after(summary);
    // An alert is read out when its text changes.
    summary.append(make("strong", "", this.widget.words.not_sent), make("br"), sentences.join(" "));
    if (this.widget.shadowRoot.activeElement === this.button) summary.focus();
  }
}

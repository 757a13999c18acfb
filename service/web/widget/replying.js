// The form: what was typed stays, whatever happens, until the service has it.
class ReplyForm {
  constructor(widget) {
    const form = find(widget.section, "form");
    // Another article's comments may come while something is on its way.
    const { site, state, signal } = widget;
    Object.assign(this, { widget, site, state, signal, form, home: widget.form.home, fields: form.elements });
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

  // From the draft of this tab, what was typed before this script ran, or what the reader had us remember.
  restore() {
    const me = recallAll("localStorage", "greenroom:me");
    const before = this.widget.fallback;
    this.fields.remember.checked = Boolean(this.draft.remember ?? me.name);
    for (const name of TYPED) this.fields[name].value = this.draft[name] || before?.values[name] || this.fields[name].value || me[name] || "";
    if (!/^[0-9a-f-]{36}$/.test(this.draft.parent)) delete this.draft.parent;
    const { parent, parentName } = this.draft;
    if (parent && this.widget.thread.isShown(parent)) this.answer(this.widget.thread.item(parent), false);
    else if (parent) this.aim(parentName);
    if (before?.focus) this.fields[before.focus]?.focus();
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

  answer(item, isAsked = true) {
    this.draft.parent = item.id.slice("comment-".length);
    this.aim(find(item, "name").textContent, item);
    const above = find(item, "comment");
    // To move what has the focus takes it away.
    if (above.nextElementSibling !== this.form) above.after(this.form);
    this.note();
    if (isAsked) this.fields.text.focus();
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
    this.home.after(this.form);
    this.note();
  }

  // The form stands in an item that goes away.
  leave(item) {
    if (this.form.closest("[part~=item]") !== item) return;
    const { activeElement } = this.widget.shadowRoot;
    this.goHome();
    activeElement?.focus();
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

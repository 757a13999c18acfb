// How the form is looked at, counted and sent, and what is said above it.
class ReplyForm {
  constructor(widget) {
    // Another article's comments may come while something is on its way.
    const { site, state, signal, form: place } = widget;
    const { form, fields, button, title, key } = place;
    Object.assign(this, { widget, site, state, signal, place, form, fields, button, title, key });
    this.fields.text.after(find(form, "counter"));
    if (fields.text.value && !state.open) this.close();
    this.count();
    form.addEventListener("input", () => {
      // What is being changed is sent when its author says so.
      if (!this.isWaiting) return;
      this.isWaiting = false;
      find(form, "summary")?.remove();
      this.sending?.rest();
    });
    addEventListener("online", () => this.isWaiting && this.send(), { signal });
  }

  get draft() {
    return this.place.draft;
  }

  // Comments were closed, but somebody had something to say, and may want to have it back.
  close() {
    this.form.hidden = false;
    this.button.hidden = true;
    this.fields.text.readOnly = true;
  }

  count() {
    const left = this.state.maxChars - [...this.fields.text.value.trim()].length;
    const counter = find(this.form, "counter");
    counter.hidden = left > Math.min(200, this.state.maxChars / 5);
    const told = say(this.widget.words.characters_left, { count: this.widget.number(left) });
    if (counter.textContent !== told) counter.textContent = told;
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
    const { text, consent } = this.fields;
    text.value = "";
    if (consent) consent.checked = false;
    find(this.form, "previewed")?.remove();
    this.place.answerNobody();
    this.place.draft = {};
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
    if ([this.button, this.title].includes(this.widget.shadowRoot.activeElement)) summary.focus();
  }
}

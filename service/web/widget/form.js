// The form: what was typed stays, whatever happens, until the service has it.
const TYPED = ["text", "name", "email", "url"];

// What those need who write comes when they begin to, and is given what it shares with all this.
const TOOLS = { make, makeButton, find, say, api, call, keep, recall, parse, ownKey, ownOf, TYPED };
let failures = "";
let arriving;
function writing() {
  const open = ({ default: use }) => use(TOOLS);
  const forget = (error) => {
    // A browser may keep in mind that an address led to nothing.
    failures += "&";
    arriving = null;
    throw error;
  };
  return (arriving ??= import(new URL(LATER + failures, SERVICE)).then(open, forget));
}

class ReplyForm {
  constructor(widget) {
    const form = find(widget.section, "form");
    Object.assign(this, { widget, form, home: form.previousElementSibling, fields: form.elements });
    this.button = find(form, "submit");
    this.title = find(form, "form-title");
    this.key = `greenroom:${widget.site}:${widget.state.article}:draft`;
    this.draft = recall("sessionStorage", this.key) ?? {};
    form.noValidate = true;
    this.title.tabIndex = -1;
    this.fields.text.after(find(form, "counter"));
    this.fields.text.setAttribute("aria-describedby", "greenroom-markup greenroom-text-error");
    this.restore();
    form.addEventListener("input", () => this.note());
    // It is there by the time that somebody has typed something.
    form.addEventListener("focusin", () => writing().catch(() => {}), { once: true });
    find(form, "preview").addEventListener("click", () => this.preview());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    addEventListener("online", () => this.isWaiting && this.send(), { signal: widget.signal });
  }

  // From the draft of this tab, what was typed before this script ran, or what the reader had us remember.
  restore() {
    const me = recall("localStorage", "greenroom:me");
    const before = this.widget.fallback;
    this.fields.remember.checked = Boolean(this.draft.remember ?? me);
    for (const name of TYPED) this.fields[name].value = this.draft[name] || before?.values[name] || me?.[name] || "";
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
    find(item, "comment").after(this.form);
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

  async send() {
    const { Sending } = await writing().catch(() => ({}));
    if (Sending) return (this.sending ??= new Sending(this)).send();
    const { words } = this.widget;
    this.isWaiting = true;
    this.complain(navigator.onLine ? words.failed : words.offline);
  }

  async preview() {
    const place = find(this.form, "preview").parentElement;
    find(place, "error")?.remove();
    const { preview } = await writing().catch(() => ({}));
    if (preview) preview(this.widget, this.form, this.fields.text);
    else place.append(make("span", "error", this.widget.words.failed, { role: "alert" }));
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

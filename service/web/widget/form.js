// The form as long as nobody writes. All that makes it more than one of plain HTML comes when somebody begins to.
const TYPED = ["text", "name", "email", "url"];
const TOOLS = { make, makeButton, find, idOf, say, api, call, keep, recall, recallAll, parse, ownKey, ownOf, draftKey, TYPED };
let failures = "";
let arriving;

// What only some need is given what it shares with all this.
function later() {
  const open = ({ default: use }) => use(TOOLS);
  const forget = (error) => {
    // A browser may keep in mind that an address led to nothing.
    failures += "&";
    arriving = null;
    throw error;
  };
  const arrive = () => import(new URL(LATER + failures, SERVICE));
  const late = () => new Promise((_, reject) => setTimeout(reject, TIMEOUT_MS));
  return (arriving ??= Promise.race([arrive(), late()]).then(open, forget));
}

class Form {
  constructor(widget) {
    const form = find(widget.section, "form");
    Object.assign(this, { widget, form, home: form.previousElementSibling, signal: widget.signal });
    form.noValidate = true;
    // It is there by the time that somebody has typed something.
    form.addEventListener("focusin", () => this.begin(() => widget.followOwn()), { once: true });
    find(form, "preview").addEventListener("click", () => this.ask((reply) => reply.preview()));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      find(form, "submit").textContent = widget.words.sending;
      this.ask((reply) => reply.send());
    });
    addEventListener("online", () => this.wish && this.ask(this.wish), { signal: this.signal });
    this.restore(form.elements);
  }

  // From the draft of this tab, what was typed before this script ran, or what the reader had us remember;
  // at once, so that nothing comes over what somebody types.
  restore(fields) {
    const { site, state, fallback } = this.widget;
    const draft = recallAll("sessionStorage", draftKey(site, state.article));
    const me = recallAll("localStorage", "greenroom:me");
    for (const name of TYPED) fields[name].value = [draft, fallback, me].map((one) => one?.[name]).find(Boolean) ?? "";
    fields.remember.checked = draft.remember ?? me.name;
    fields[fallback?.focus]?.focus();
    if (TYPED.some((name) => fields[name].value)) this.begin();
  }

  answer(item) {
    this.moveBehind(find(item, "comment"));
    this.form.elements.text.focus();
    this.ask((reply) => reply.answer(item));
  }

  goHome() {
    this.moveBehind(this.home);
  }

  // Where what has the focus goes along: to move it takes the focus away.
  moveBehind(part) {
    const { activeElement } = this.widget.shadowRoot;
    part.after(this.form);
    if (this.form.contains(activeElement)) activeElement.focus();
  }

  // Gives whether it could; `act` is done with the form that writes.
  async begin(act = () => {}) {
    const { ReplyForm } = await later().catch(() => ({}));
    if (!ReplyForm || this.signal.aborted) return Boolean(ReplyForm);
    act((this.widget.reply ??= new ReplyForm(this.widget)));
    return true;
  }

  // The same where somebody waits for it: what was wished for last is done once it can be.
  async ask(act) {
    const { words } = this.widget;
    const button = find(this.form, "submit");
    const isThere = await this.begin(act);
    find(this.form, "lost")?.remove();
    this.wish = isThere ? null : act;
    if (!isThere) button.after(make("span", "error lost", navigator.onLine ? words.failed : words.offline, { role: "alert" }));
    if (!this.widget.reply) button.textContent = words.submit;
  }
}

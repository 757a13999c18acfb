// The form: what is typed into it is kept, where it stands, and whom it answers. How that is looked at and sent comes
// when somebody begins to write.
const TOOLS = {
  SERVICE, WIDGETS, TYPED, make, makeButton, find, idOf, say, api, call, keep, recall, recallAll, parse, ownKey, ownOf,
  isSeen, leadLater,
};
const TRY_AGAIN_MS = 3_000;
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
    const { section, site, state, signal } = widget;
    const form = find(section, "form");
    Object.assign(this, { widget, form, signal, fields: form.elements, home: form.previousElementSibling });
    Object.assign(this, { title: find(form, "form-title"), button: find(form, "submit") });
    this.key = `greenroom:${site}:${state.article}:draft`;
    this.title.tabIndex = -1;
    form.noValidate = true;
    // It is there by the time that somebody has typed something.
    form.addEventListener("focusin", () => this.prepare());
    form.addEventListener("input", () => {
      this.note();
      // What was wished to be sent is sent as it was then, or when its author says so.
      if (this.wish) this.rest();
      this.prepare();
    });
    find(form, "preview").addEventListener("click", () => this.ask("preview"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask("send");
    });
    addEventListener("online", () => this.wish && this.ask(this.wish), { signal });
    this.restore(this.fields);
  }

  // From what was typed before this script ran, the draft of this tab, or what the reader had us remember;
  // at once, so that nothing comes over what somebody types.
  restore(fields) {
    const { host, thread } = this.widget;
    const draft = (this.draft = recallAll("sessionStorage", this.key));
    const me = recallAll("localStorage", "greenroom:me");
    const typed = takeFallback(host);
    if (typed.text && draft.text) typed.text = `${draft.text}\n\n${typed.text}`;
    const isText = (value) => value && typeof value === "string";
    for (const name of TYPED) fields[name].value = [typed, draft, me].map((one) => one[name]).find(isText) ?? "";
    fields.remember.checked = draft.remember ?? me.name;
    const { parent, parentName } = draft;
    if (!/^[0-9a-f-]{36}$/.test(parent) || !isText(parentName)) delete draft.parent;
    else if (thread.isShown(parent)) this.answer(thread.item(parent));
    else this.aim(parentName);
    fields[typed.focus]?.focus();
    if (TYPED.some((name) => typed[name])) this.note();
    if (TYPED.some((name) => fields[name].value)) this.prepare();
  }

  note() {
    for (const name of TYPED) this.draft[name] = this.fields[name].value;
    this.draft.remember = this.fields.remember.checked;
    keep("sessionStorage", this.key, this.draft);
    this.widget.reply?.count();
  }

  answer(item) {
    this.draft.parent = idOf(item);
    this.aim(find(item, "name").textContent);
    // Those below may have been folded away, and this one with them.
    if (!item.closest("[hidden]")) this.moveBehind(find(item, "comment"));
    this.note();
  }

  // Says whom the comment will answer; that one may be on a part of the list which is not loaded.
  aim(name) {
    const { words } = this.widget;
    this.draft.parentName = name;
    this.title.textContent = say(words.reply_to, { name });
    find(this.form, "cancel")?.remove();
    this.button.after(makeButton(words.cancel, "quiet cancel", () => {
      const item = this.widget.thread.item(this.draft.parent);
      this.answerNobody();
      if (item) find(item, "reply")?.focus();
    }));
  }

  answerNobody() {
    delete this.draft.parent;
    this.title.textContent = this.widget.words.title;
    find(this.form, "cancel")?.remove();
    this.moveBehind(this.home);
    this.note();
  }

  // Where what has the focus goes along: to move it takes the focus away.
  moveBehind(part) {
    const { activeElement } = this.widget.shadowRoot;
    part.after(this.form);
    if (this.form.contains(activeElement)) activeElement.focus(STAY);
  }

  // Gives whether what writes is there.
  async begin() {
    const { widget, signal } = this;
    const { ReplyForm } = await later().catch(() => ({}));
    if (!ReplyForm || signal.aborted) return false;
    widget.reply ??= new ReplyForm(widget);
    widget.followOwn();
    return true;
  }

  // Asked for again as somebody types on, but not at every letter.
  prepare() {
    this.preparing ??= this.begin().then((isThere) => isThere || setTimeout(() => (this.preparing = null), TRY_AGAIN_MS));
  }

  // The same where somebody waits for it: what was wished for last is done once it can be.
  async ask(what) {
    const { words } = this.widget;
    this.rest();
    this.wish = what;
    if (what === "send") this.button.textContent = words.sending;
    const isThere = await this.begin();
    if (this.signal.aborted || this.wish !== what) return;
    this.rest();
    if (isThere) return this.widget.reply[what]();
    this.wish = what;
    this.button.after(make("span", "error lost", navigator.onLine ? words.failed : words.offline, { role: "alert" }));
  }

  rest() {
    this.wish = null;
    if (!this.widget.reply?.isBusy) this.button.textContent = this.widget.words.submit;
    find(this.form, "lost")?.remove();
  }
}

// What somebody typed into the page's own form before this script was there, and where the cursor stood. It is taken
// away there, or it would come back after it was sent.
function takeFallback(host) {
  const typed = {};
  for (const name of TYPED) {
    const field = host.querySelector("form")?.elements[name];
    if (!field) continue;
    if (field === findFocus()) typed.focus = name;
    typed[name] = field.value;
    field.value = "";
  }
  return typed;
}

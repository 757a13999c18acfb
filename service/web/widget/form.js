// The form: whatever happens to a comment on its way, what was typed stays until the service has it.
const TYPED = ["text", "name", "email", "url"];
const RETRIES_MS = [3_000, 12_000];
const isLost = (status) => [502, 503, 504].includes(status);

// Gives the answer and what it says, or nothing of what was lost on the way.
async function post(url, body, headers) {
  const answer = await call(url, "POST", body, headers).catch(() => null);
  return [answer, await answer?.json().catch(() => null)];
}

// What only some readers want comes when they want it, and is given what stands here. Where it cannot be had that
// is said in `place`, if somebody has asked for it there.
const TOOLS = { make, makeButton, find, say, api, call, keep, recall, parse, post, withDomain, newKey };
let failures = "";
async function later({ words }, place, name, ...given) {
  place?.querySelector("[part~=error]")?.remove();
  const found = await import(new URL(LATER + failures, SERVICE)).catch(() => null);
  if (found) return found.default(TOOLS)[name](...given);
  // A browser may keep in mind that an address led to nothing.
  failures += "&";
  place?.append(make("span", "error", words.failed, { role: "alert" }));
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
    const look = find(form, "preview");
    look?.addEventListener("click", () => later(widget, look.parentElement, "preview", widget, form, this.fields.text));
    this.restore();
    form.addEventListener("input", () => {
      this.note();
      // What is being changed is sent when its author says so.
      if (!this.isWaiting) return;
      this.clear();
      this.busy(false);
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.tries = 0;
      this.send();
    });
    addEventListener("online", () => this.isWaiting && this.send(), { signal: widget.signal });
    widget.signal.addEventListener("abort", () => clearTimeout(this.timer));
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
    if (this.form.closest("li") !== item) return;
    const { activeElement } = this.widget.shadowRoot;
    this.goHome();
    activeElement?.focus();
  }

  // One key for one content, also after a reload: a comment whose answer was lost is not stored twice.
  seal() {
    const content = { article: this.widget.state.article, parent: this.draft.parent };
    for (const name of TYPED) if (this.fields[name].value.trim()) content[name] = this.fields[name].value;
    const body = JSON.stringify(content);
    if (this.draft.sent !== body) {
      Object.assign(this.draft, { sent: body, key: newKey() });
      keep("sessionStorage", this.key, this.draft);
    }
    return body;
  }

  async send() {
    if (this.isBusy) return;
    this.clear();
    const missing = ["text", "name", "email"].filter((name) => !this.fields[name].value.trim());
    if (this.fields.consent?.checked === false) missing.push("consent");
    if (missing.length) {
      this.mark(missing.map((name) => ({ pointer: `#/${name}`, code: `${name}_required` })));
      return;
    }
    const body = this.seal();
    // More may be typed while it is on its way.
    const sent = { ...this.draft };
    this.busy(true);
    const url = api(`sites/${this.widget.site}/comments`);
    const [answer, told] = await post(url, body, { "Idempotency-Key": sent.key });
    if (!answer || isLost(answer.status) || (answer.ok && !told)) this.wait();
    else if (answer.ok) this.done(told, sent);
    else this.refuse(answer, told ?? {});
    this.busy(false);
  }

  busy(isBusy) {
    const { words } = this.widget;
    this.isBusy = isBusy;
    this.button.setAttribute("aria-disabled", isBusy);
    this.button.textContent = isBusy ? words.sending : this.isWaiting ? words.retry : words.submit;
  }

  wait() {
    const { words } = this.widget;
    this.isWaiting = true;
    this.complain(navigator.onLine ? words.failed : words.offline);
    const pause = navigator.onLine && RETRIES_MS[this.tries++];
    if (pause) this.timer = setTimeout(() => this.send(), pause);
  }

  refuse(answer, problem) {
    const { words, state } = this.widget;
    this.widget.tell("refused", { status: answer.status, type: problem.type });
    const closed = problem.errors?.some(({ code }) => code === "article_not_allowed");
    if (closed) this.complain(words.closed, words.still_here);
    else if (problem.errors) this.mark(problem.errors);
    else if (answer.status === 409) this.complain(words.duplicate);
    else if (answer.status === 429) this.complain(say(words.limited, { time: this.widget.after(answer) }), words.still_here);
    else this.complain(problem.detail ?? "", words.still_here);
    state.open &&= !closed;
  }

  mark(errors) {
    const { words } = this.widget;
    const others = errors.filter((one) => !this.markField(one));
    const parent = others.some(({ code }) => code === "parent_invalid");
    if (parent) this.goHome();
    const told = others.map((one) => (one.code === "parent_invalid" ? words.parent_invalid : one.detail));
    this.complain(...(told.length ? told : [words.correct_marked]));
    this.form.querySelector("[aria-invalid]")?.focus();
  }

  markField({ pointer, code, detail, suggestion }) {
    const name = pointer?.slice(2);
    const field = [...TYPED, "consent"].includes(name) && this.fields[name];
    if (!field) return false;
    const { words, state } = this.widget;
    const told = words[code] ?? words[code.replace(name, "field")] ?? detail;
    const error = this.form.querySelector(`#${field.id}-error`);
    error.textContent = say(told, { limit: this.widget.number(state.maxChars) });
    if (suggestion) error.append(" ", this.offer(field, suggestion));
    error.hidden = false;
    field.setAttribute("aria-invalid", "true");
    return true;
  }

  offer(field, suggestion) {
    return makeButton(say(this.widget.words.did_you_mean, { suggestion }), "quiet suggestion", () => {
      field.value = field.name === "email" ? withDomain(field.value, suggestion) : suggestion;
      this.clear();
      this.note();
      field.focus();
    });
  }

  complain(...sentences) {
    find(this.form, "summary")?.remove();
    const summary = make("p", "summary", "", { role: "alert", tabindex: "-1" });
    this.title.after(summary);
    // An alert is read out when its text changes.
    summary.append(make("strong", "", this.widget.words.not_sent), make("br"), sentences.join(" "));
    if (this.widget.shadowRoot.activeElement === this.button) summary.focus();
  }

  clear() {
    clearTimeout(this.timer);
    this.isWaiting = false;
    find(this.form, "summary")?.remove();
    for (const field of this.form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
    for (const error of this.form.querySelectorAll("[part~=error]")) error.hidden = true;
  }

  done(taken, sent) {
    const { name, email, url, text, remember } = sent;
    keep("localStorage", "greenroom:me", remember && { name, email, url });
    if (this.fields.text.value === text) {
      this.fields.text.value = "";
      find(this.form, "previewed")?.remove();
      this.goHome();
      this.draft = {};
      keep("sessionStorage", this.key);
    }
    this.widget.own.take(taken, sent);
  }
}

function withDomain(address, domain) {
  return `${address.trim().replace(/@[^@]*$/, "")}@${domain}`;
}

// A comment on its way: it is sent once, and what is said against it stands at its field.
const RETRIES_MS = [3_000, 12_000];
const isLost = (status) => [502, 503, 504].includes(status);
// Nobody has to be unable to guess it; and pages without TLS have no `crypto.randomUUID`.
const newKey = () => `${Date.now()}${Math.random()}`;
const withDomain = (address, domain) => `${address.trim().replace(/@[^@]*$/, "")}@${domain}`;

// Gives the answer and what it says, or nothing of what was lost on the way.
async function post(url, body, headers) {
  const answer = await call(url, "POST", body, headers).catch(() => null);
  return [answer, await answer?.json().catch(() => null)];
}

class Sending {
  constructor(reply) {
    const { widget, form, fields, button } = reply;
    Object.assign(this, { reply, widget, form, fields, button });
    reply.signal.addEventListener("abort", () => clearTimeout(this.timer));
  }

  // One key for one content, also after a reload: a comment whose answer was lost is not stored twice.
  seal() {
    const content = { article: this.reply.state.article, parent: this.reply.draft.parent };
    for (const name of TYPED) if (this.fields[name].value.trim()) content[name] = this.fields[name].value;
    const body = JSON.stringify(content);
    if (this.reply.draft.sent !== body) {
      Object.assign(this.reply.draft, { sent: body, key: newKey() });
      keep("sessionStorage", this.reply.key, this.reply.draft);
    }
    return body;
  }

  send() {
    this.tries = 0;
    this.lead = leadLater();
    return this.attempt();
  }

  async attempt() {
    if (this.reply.isBusy) return;
    this.clear();
    const missing = TYPED.filter((name) => this.fields[name].required && !this.fields[name].value.trim());
    if (this.fields.consent?.checked === false) missing.push("consent");
    if (missing.length) {
      this.mark(missing.map((name) => ({ pointer: `#/${name}`, code: `${name}_required` })));
      return;
    }
    const body = this.seal();
    // More may be typed while it is on its way.
    const sent = { ...this.reply.draft };
    this.reply.busy(true);
    const url = api(`sites/${this.reply.site}/comments`);
    const [answer, told] = await post(url, body, { "Idempotency-Key": sent.key });
    try {
      if (answer?.ok && told?.id) this.done(told, sent);
      // The draft of another article stays for when the reader comes back to it.
      else if (this.reply.signal.aborted) return;
      else if (!answer || answer.ok || isLost(answer.status)) this.wait();
      else this.refuse(answer, told ?? {});
    } finally {
      this.reply.busy(false);
    }
  }

  wait() {
    const { words } = this.widget;
    this.reply.isWaiting = true;
    this.reply.complain(navigator.onLine ? words.failed : words.offline);
    const pause = navigator.onLine && RETRIES_MS[this.tries++];
    if (pause) this.timer = setTimeout(() => this.attempt(), pause);
  }

  refuse(answer, problem) {
    const { words, state } = this.widget;
    this.widget.tell("refused", { status: answer.status, type: problem.type });
    const closed = problem.errors?.some(({ code }) => code === "article_not_allowed");
    if (closed) this.reply.complain(words.closed, words.still_here);
    else if (problem.errors) this.mark(problem.errors);
    else if (answer.status === 409) this.reply.complain(words.duplicate);
    else if (answer.status >= 500) this.reply.complain(words.failed);
    else this.reply.complain(explain(this.widget, answer, problem), words.still_here);
    state.open &&= !closed;
  }

  mark(errors) {
    const { words } = this.widget;
    const others = errors.filter((one) => !this.markField(one));
    const parent = others.some(({ code }) => code === "parent_invalid");
    if (parent) this.reply.place.answerNobody();
    const told = others.map((one) => (one.code === "parent_invalid" ? words.parent_invalid : words[one.code] ?? one.detail));
    const wrong = this.form.querySelector("[aria-invalid]");
    if (wrong) this.lead(wrong);
    this.reply.complain(...(told.length ? told : [words.correct_marked]));
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
      this.reply.place.note();
      field.focus();
    });
  }

  rest() {
    clearTimeout(this.timer);
    this.reply.busy(false);
  }

  clear() {
    clearTimeout(this.timer);
    this.reply.isWaiting = false;
    find(this.form, "summary")?.remove();
    for (const field of this.form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
    for (const error of this.form.querySelectorAll("[part~=error]")) error.hidden = true;
  }

  done(taken, sent) {
    const { widget, reply } = this;
    rememberMe(sent);
    // The list may have been loaded anew meanwhile, or elsewhere in the page, or be that of another article.
    const shown = [...WIDGETS].filter(({ section, form }) => section && form.key === reply.key);
    const first = shown.includes(widget) ? widget : shown[0];
    for (const one of shown) {
      one.reply ??= new ReplyForm(one);
      if (one.form.fields.text.value === sent.text) one.reply.empty();
    }
    if (first) return (first.own ??= new Own(first)).take(taken, sent, this.lead);
    if (recallAll("sessionStorage", reply.key).text === sent.text) keep("sessionStorage", reply.key);
    rememberOwn(reply.site, taken, sent);
  }
}

function rememberMe({ name, email, url, remember }) {
  keep("localStorage", "greenroom:me", remember && { name, email, url });
}

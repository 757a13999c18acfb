// The reader's own comments: followed, corrected and withdrawn by the receipts that this browser keeps.
const MAX_RECEIPTS = 50;

class Own {
  constructor(widget) {
    Object.assign(this, { widget, key: `greenroom:${widget.site}:own` });
    addEventListener("storage", ({ key }) => key === this.key && this.show(), { signal: widget.signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.show(), { signal: widget.signal });
    this.show();
  }

  all() {
    return recall("localStorage", this.key) ?? [];
  }

  here() {
    return this.all().filter(({ article }) => article === this.widget.state.article);
  }

  has(id) {
    return this.here().find((entry) => entry.id === id);
  }

  // Reads anew before it writes, since other tabs write too.
  change(id, entry) {
    const others = this.all().filter((one) => one.id !== id);
    keep("localStorage", this.key, [...others, ...(entry ? [entry] : [])].slice(-MAX_RECEIPTS));
  }

  show() {
    for (const entry of this.here()) {
      if (entry.status !== "approved" && !this.widget.thread.isShown(entry.id)) this.hold(entry);
      this.follow(entry);
    }
  }

  // Takes over a comment that the service has, with what was sent.
  take({ id, article, submitted_at: at, receipt, hints }, sent) {
    const { name, text, parent } = sent;
    const entry = { id, article, parent, at, ...receipt, name, text };
    this.change(id, entry);
    const item = this.hold(entry);
    if ("held" in item.dataset) for (const hint of hints) this.doubt(item, entry, hint, sent);
    this.widget.tell("submitted", { id, article });
    this.widget.announce(this.widget.words.held);
    find(item, "comment").focus();
    this.follow(entry);
  }

  // Shows a comment that nobody else can see yet.
  hold(entry) {
    const { thread, words } = this.widget;
    const present = thread.item(entry.id);
    if (present) return present;
    const item = make("li", "item", "", { id: `comment-${entry.id}`, "data-held": "" });
    if (entry.parent) item.dataset.parent = entry.parent;
    const article = make("article", "comment held", "", { tabindex: "-1" });
    const byline = make("header", "byline");
    const time = make("time", "", "", { datetime: entry.at });
    thread.tell(time);
    byline.append(make("span", "name", entry.name, { dir: "auto" }), make("span", "soft date"));
    byline.lastElementChild.append(time);
    article.append(byline, make("p", "note", words.held), make("div", "plain", entry.text, { dir: "auto" }), make("footer", "actions"));
    item.append(article, make("ol", "replies"));
    thread.place(item);
    thread.refresh();
    return item;
  }

  // The address cannot be changed any more, but the comment can be taken back and sent with another one.
  doubt(item, entry, { suggestion }, sent) {
    const { words, form } = this.widget;
    const note = make("p", "note doubt", `${words.check_email} `);
    note.append(makeButton(say(words.resend_with, { suggestion }), "quiet suggestion", async () => {
      if (!(await this.withdraw(entry))) return;
      const email = withDomain(sent.email, suggestion);
      const { text, name, parent, url } = sent;
      const body = JSON.stringify({ article: entry.article, text, name, email, parent, url: url || undefined });
      const [answer, told] = await form.post(body, newKey());
      const { fields } = form;
      if (fields.email.value === sent.email) fields.email.value = email;
      if (answer?.ok && told) return this.take(told, { ...sent, email });
      // Back into the form, whatever stands there by now.
      fields.text.value = [fields.text.value, text].filter(Boolean).join("\n\n");
      form.note();
      form.complain(words.still_here);
    }));
    find(item, "note").after(note);
  }

  async follow(entry) {
    try {
      const answer = await call(api(`receipts/${entry.token}`));
      if (answer.status === 404) this.forget(entry);
      else if (answer.ok) this.view(entry, await answer.json());
    } catch { /* It is shown as it was last known. */ }
  }

  forget(entry) {
    this.change(entry.id);
    const item = this.widget.thread.item(entry.id);
    if (item && "held" in item.dataset) this.widget.thread.remove(entry.id);
    this.widget.thread.refresh();
  }

  async view(entry, receipt) {
    const { thread, words } = this.widget;
    if (["withdrawn", "erased"].includes(receipt.status)) return this.forget(entry);
    if (entry.status !== receipt.status) this.change(entry.id, Object.assign(entry, { status: receipt.status }));
    if (receipt.status === "approved" && !thread.isShown(entry.id)) await this.reveal(entry);
    const item = thread.item(entry.id);
    if (!item) return;
    const note = find(item, "note");
    if (receipt.status === "rejected" && note) {
      note.textContent = [words.rejected, receipt.statement].filter(Boolean).join(" ");
    }
    this.control(item, entry, receipt);
  }

  // It was approved, but not on the part of the list that is loaded, or just now.
  async reveal(entry) {
    const { site, thread } = this.widget;
    const answer = await call(api(`sites/${site}/comments/${entry.id}`));
    if (!answer.ok) return thread.remove(entry.id);
    const comment = await answer.json();
    // The stream may have been faster.
    if (!thread.isShown(entry.id)) thread.count += !thread.next;
    thread.put(comment);
    thread.refresh();
  }

  control(item, entry, { can, status }) {
    const { words } = this.widget;
    const actions = find(item, "actions");
    for (const one of actions?.querySelectorAll("[part~=own]") ?? []) one.remove();
    if (can.includes("edit")) actions.append(makeButton(words.edit, "quiet own edit", () => this.edit(item, entry)));
    if (can.includes("withdraw") && status !== "rejected") {
      actions.append(makeButton(words.withdraw, "quiet own", ({ currentTarget }) => this.ask(currentTarget, entry)));
    }
    if (status === "rejected") actions.append(makeButton(words.dismiss, "quiet own", () => this.forget(entry)));
    actions.append(make("a", "link own date", words.follow, { href: entry.url, target: "_blank", rel: "noopener" }));
  }

  // Asked twice, since it cannot be taken back.
  ask(button, entry) {
    const { words } = this.widget;
    const sure = makeButton(words.withdraw, "quiet own danger", () => this.withdraw(entry));
    const no = makeButton(words.cancel, "quiet own", () => {
      no.remove();
      sure.replaceWith(button);
      button.focus();
    });
    button.replaceWith(sure);
    sure.after(no);
    no.focus();
  }

  async withdraw(entry) {
    const { words } = this.widget;
    try {
      const answer = await call(api(`receipts/${entry.token}`), "DELETE");
      if (!answer.ok && ![404, 409].includes(answer.status)) throw answer;
    } catch {
      this.widget.announce(words.failed);
      return false;
    }
    this.forget(entry);
    if (this.widget.thread.isShown(entry.id)) this.widget.thread.depart(entry.id);
    this.widget.announce(words.withdrawn);
    this.widget.tell("withdrawn", { id: entry.id });
    this.widget.form.title.focus();
    return true;
  }

  edit(item, entry) {
    const { words } = this.widget;
    if (find(item, "editor")) return;
    const draftKey = `greenroom:edit:${entry.id}`;
    const editor = make("form", "form editor");
    const area = make("textarea", "input", "", { id: `edit-${entry.id}`, rows: "5", dir: "auto", "aria-describedby": `edit-${entry.id}-error` });
    area.value = recall("sessionStorage", draftKey) ?? entry.text;
    area.addEventListener("input", () => keep("sessionStorage", draftKey, area.value));
    const error = make("p", "error", "", { id: `edit-${entry.id}-error`, role: "alert" });
    const actions = make("p", "actions");
    const close = () => {
      keep("sessionStorage", draftKey);
      editor.remove();
      find(item, "edit")?.focus();
    };
    actions.append(make("button", "button", words.save), makeButton(words.cancel, "quiet", close));
    editor.append(make("label", "label", words.your_text, { for: area.id }), area, error, actions);
    editor.addEventListener("submit", async (event) => {
      event.preventDefault();
      error.textContent = await this.save(item, entry, area.value);
      if (!error.textContent) close();
    });
    find(item, "comment").after(editor);
    area.focus();
  }

  // Gives what is wrong, or nothing.
  async save(item, entry, text) {
    const { words, state, number } = this.widget;
    try {
      const answer = await call(api(`receipts/${entry.token}`), "PATCH", JSON.stringify({ text }));
      const told = await answer.json();
      if (!answer.ok) {
        const code = told.errors?.[0].code;
        const known = words[code] ?? words[code?.replace("text", "field")];
        if (known) return say(known, { limit: number(state.maxChars) });
        return answer.status === 409 ? words.edit_window_closed : told.detail;
      }
      this.change(entry.id, Object.assign(entry, { text }));
      this.corrected(item, text, told);
      this.control(item, entry, told);
      this.widget.tell("edited", { id: entry.id });
      return "";
    } catch {
      return words.failed;
    }
  }

  corrected(item, text, { status }) {
    const { words } = this.widget;
    if (status === "pending") {
      const plain = find(item, "plain");
      if (plain) plain.textContent = text;
      return this.widget.announce(words.held);
    }
    find(item, "waits")?.remove();
    find(item, "text")?.after(make("p", "note waits", words.edit_waits));
    this.widget.announce(words.edit_waits);
  }
}

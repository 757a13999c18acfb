// A text is looked at before it is sent, corrected, taken back, or sent again with another address.
const PROBLEMS = { duplicate_comment: "duplicate" };
const waitOf = (answer) => 1_000 * (Number(answer.headers.get("Retry-After")) || 60);

// Why a text was not taken, in the reader's words.
function explain(widget, answer, told) {
  const { words, state, number, locale } = widget;
  if (!answer || !told || answer.status >= 500) return words.failed;
  const again = () => new Intl.DateTimeFormat(locale, { timeStyle: "medium" }).format(Date.now() + waitOf(answer));
  if (answer.status === 429) return say(words.limited, { time: again() });
  if (answer.status === 413) told.type = "text_too_long";
  const code = told.errors?.[0].code ?? told.type?.split("/").pop().replaceAll("-", "_");
  const known = words[code] ?? words[code?.replace("text", "field")] ?? words[PROBLEMS[code]];
  return say(known ?? told.detail ?? words.failed, { limit: number(state.maxChars) });
}

// Shows below a form how its text will look, until the text is another one.
async function preview(widget, form, area) {
  const text = area.value;
  find(form, "previewed")?.remove();
  const name = { role: "region", "aria-label": widget.words.preview, "aria-live": "polite", dir: "auto" };
  const region = make("div", "previewed", "", name);
  area.addEventListener("input", () => region.remove(), { once: true });
  form.append(region);
  const [answer, told] = await post(api(`sites/${widget.site}/preview`), JSON.stringify({ text }));
  // It may have been sent meanwhile.
  if (area.value !== text) return region.remove();
  if (answer?.ok && told) {
    region.append(parse(told.html));
    region.part.add("rendered");
  } else {
    region.append(make("p", "error", explain(widget, answer, told)));
  }
  region.scrollIntoView({ block: "nearest" });
}

const editKey = (id) => `greenroom:edit:${id}`;

// Opens the form of a correction, where it is not open; gives its field.
function edit(widget, item, entry) {
  const { words, own } = widget;
  const id = `edit-${entry.id}`;
  const present = item.querySelector(`#${CSS.escape(id)}`);
  if (present) return present;
  const editor = make("form", "form editor");
  const error = make("p", "error", "", { id: `${id}-error`, role: "alert" });
  const described = { "aria-describedby": `greenroom-markup ${error.id}` };
  const area = make("textarea", "input", "", { id, rows: "5", dir: "auto", ...described });
  const key = editKey(entry.id);
  const begun = recall("sessionStorage", key);
  area.value = typeof begun === "string" ? begun : entry.text;
  area.addEventListener("input", () => keep("sessionStorage", key, area.value));
  const close = (lead) => {
    keep("sessionStorage", key);
    editor.remove();
    const comment = find(item, "comment");
    lead(find(comment, "edit") ?? comment);
    // It may have been withdrawn meanwhile.
    own.show();
  };
  const actions = make("p", "actions");
  const look = makeButton(words.preview, "quiet", () => preview(widget, editor, area));
  const cancel = makeButton(words.cancel, "quiet", () => close((node) => node.focus()));
  actions.append(make("button", "button", words.save), look, cancel);
  editor.append(make("label", "label", words.your_text, { for: area.id }), area, error, actions);
  let isBusy = false;
  editor.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy) return;
    isBusy = true;
    const lead = leadLater();
    const text = area.value;
    error.textContent = await save(widget, item, entry, text);
    isBusy = false;
    // More may have been typed while it was on its way.
    if (!error.textContent && area.value === text) close(lead);
  });
  find(item, "comment").after(editor);
  return area;
}

// Gives what is wrong, or nothing.
async function save(widget, item, entry, text) {
  const { own, words } = widget;
  const answer = await call(api(`receipts/${entry.token}`), "PATCH", JSON.stringify({ text })).catch(() => null);
  const told = await answer?.json().catch(() => null);
  if ([404, 409].includes(answer?.status)) {
    await own.follow(entry);
    const known = own.has(entry.id);
    if (!known) return words.withdrawn;
    if (known.status === "rejected") return words.rejected;
  }
  if (!answer?.ok || !told) return explain(widget, answer, told);
  own.change(entry.id, Object.assign(entry, { text }));
  find(find(item, "comment"), "plain")?.replaceWith(own.render(text));
  await own.learn(entry, told);
  if (told.status === "pending") widget.announce(words.held, true);
  if (told.edit) widget.announce(words.edit_waits, true);
  widget.tell("edited", { id: entry.id });
  return "";
}

// Asked twice, since it cannot be taken back.
function ask(widget, item, entry, button) {
  const { words } = widget;
  const sure = makeButton(words.withdraw, "quiet own danger", () => withdraw(widget, entry));
  const no = makeButton(words.cancel, "quiet own", () => {
    no.remove();
    sure.replaceWith(button);
    button.focus();
  });
  button.replaceWith(sure);
  sure.after(no);
  no.focus();
}

async function withdraw(widget, entry) {
  const { words, own, thread } = widget;
  const answer = await call(api(`receipts/${entry.token}`), "DELETE").catch(() => null);
  if (!answer?.ok && ![404, 409].includes(answer?.status)) {
    widget.announce(words.failed);
    return false;
  }
  own.giveUp(entry);
  if (thread.isShown(entry.id)) changesOf(widget).depart(entry.id);
  widget.announce(words.withdrawn);
  widget.tell("withdrawn", { id: entry.id });
  return true;
}

// The address cannot be changed any more, but the comment can be taken back and sent with another one.
function doubt(widget, item, entry, { suggestion }, sent) {
  const { words, reply, own } = widget;
  const note = make("p", "note doubt", `${words.check_email} `);
  let isBusy = false;
  note.append(makeButton(say(words.resend_with, { suggestion }), "quiet suggestion", async () => {
    if (isBusy) return;
    isBusy = true;
    const lead = leadLater();
    isBusy = await withdraw(widget, entry);
    if (!isBusy) return;
    const email = withDomain(sent.email, suggestion);
    const { text, name, parent, url } = sent;
    const body = JSON.stringify({ article: entry.article, text, name, email, parent, url: url || undefined });
    const [answer, told] = await post(api(`sites/${widget.site}/comments`), body, { "Idempotency-Key": newKey() });
    const { fields } = reply;
    if (fields.email.value === sent.email) fields.email.value = email;
    if (answer?.ok && told) {
      rememberMe({ ...sent, email });
      return own.take(told, { ...sent, email }, lead);
    }
    // Back into the form, whatever stands there by now.
    fields.text.value = [fields.text.value, text].filter(Boolean).join("\n\n");
    widget.form.note();
    reply.complain(words.still_here);
  }));
  find(item, "note").after(note);
}

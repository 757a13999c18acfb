// A text is looked at before it is sent, corrected, taken back, or sent again with another address.
const PROBLEMS = { "duplicate-comment": "duplicate", "edit-window-closed": "edit_window_closed" };

// Why a text was not taken, in the reader's words.
function explain(widget, answer, told) {
  const { words, state, number } = widget;
  if (!answer || !told) return words.failed;
  if (answer.status === 429) return say(words.limited, { time: widget.after(answer) });
  const code = told.errors?.[0].code ?? told.type?.split("/").pop();
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

function edit(widget, item, entry) {
  const { words } = widget;
  if (item.querySelector(":scope > [part~=editor]")) return;
  const draftKey = `greenroom:edit:${entry.id}`;
  const editor = make("form", "form editor");
  const error = make("p", "error", "", { id: `edit-${entry.id}-error`, role: "alert" });
  const described = { "aria-describedby": `greenroom-markup ${error.id}` };
  const area = make("textarea", "input", "", { id: `edit-${entry.id}`, rows: "5", dir: "auto", ...described });
  area.value = recall("sessionStorage", draftKey) ?? entry.text;
  area.addEventListener("input", () => keep("sessionStorage", draftKey, area.value));
  const close = () => {
    keep("sessionStorage", draftKey);
    editor.remove();
    const comment = find(item, "comment");
    (find(comment, "edit") ?? comment).focus();
  };
  const actions = make("p", "actions");
  const look = makeButton(words.preview, "quiet", () => preview(widget, editor, area));
  actions.append(make("button", "button", words.save), look, makeButton(words.cancel, "quiet", close));
  editor.append(make("label", "label", words.your_text, { for: area.id }), area, error, actions);
  let isBusy = false;
  editor.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy) return;
    isBusy = true;
    error.textContent = await save(widget, item, entry, area.value);
    isBusy = false;
    if (!error.textContent) close();
  });
  find(item, "comment").after(editor);
  area.focus();
}

// Gives what is wrong, or nothing.
async function save(widget, item, entry, text) {
  const { own, words } = widget;
  const answer = await call(api(`receipts/${entry.token}`), "PATCH", JSON.stringify({ text })).catch(() => null);
  const told = await answer?.json().catch(() => null);
  if (!answer?.ok || !told) {
    if (answer?.status === 409) own.follow(entry);
    return explain(widget, answer, told);
  }
  own.change(entry.id, Object.assign(entry, { text }));
  find(find(item, "comment"), "plain")?.replaceWith(own.render(text));
  await own.view(entry, told);
  if (told.status === "pending") widget.announce(words.held);
  if (told.edit) widget.announce(words.edit_waits);
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
  own.forget(entry);
  if (thread.isShown(entry.id)) thread.depart(entry.id);
  widget.announce(words.withdrawn);
  widget.tell("withdrawn", { id: entry.id });
  widget.section.focus();
  return true;
}

// The address cannot be changed any more, but the comment can be taken back and sent with another one.
function doubt(widget, item, entry, { suggestion }, sent) {
  const { words, reply: form, own } = widget;
  const note = make("p", "note doubt", `${words.check_email} `);
  let isBusy = false;
  note.append(makeButton(say(words.resend_with, { suggestion }), "quiet suggestion", async () => {
    if (isBusy) return;
    isBusy = true;
    isBusy = await withdraw(widget, entry);
    if (!isBusy) return;
    const email = withDomain(sent.email, suggestion);
    const { text, name, parent, url } = sent;
    const body = JSON.stringify({ article: entry.article, text, name, email, parent, url: url || undefined });
    const [answer, told] = await post(api(`sites/${widget.site}/comments`), body, { "Idempotency-Key": newKey() });
    const { fields } = form;
    if (fields.email.value === sent.email) fields.email.value = email;
    if (answer?.ok && told) return own.take(told, { ...sent, email });
    // Back into the form, whatever stands there by now.
    fields.text.value = [fields.text.value, text].filter(Boolean).join("\n\n");
    form.note();
    form.complain(words.still_here);
  }));
  find(item, "note").after(note);
}

// The line above the list: ways to the form and to the other order.
function makeTools(widget) {
  const { words, state, order } = widget;
  const tools = make("p", "actions tools");
  if (state.open) tools.append(makeButton(words.title, "quiet jump", () => widget.form.fields.text.focus()));
  const key = `greenroom:${widget.site}:order`;
  const select = make("select", "input order", "", { "aria-label": words.order });
  for (const one of ["oldest", "newest"]) select.append(new Option(words[one], one, false, one === order));
  select.addEventListener("change", async () => {
    keep("localStorage", key, select.value);
    if (!await widget.load()) keep("localStorage", key, (select.value = order));
  });
  tools.append(select);
  return tools;
}

// Where the focus goes that nobody moves: this is the one place that says so.

const LANDINGS = "[part~=comment], [part~=form-title]";
const isSeen = (node) => Boolean(node?.isConnected && node.getClientRects().length);
// What hands the focus on moves nobody's view.
const STAY = { preventScroll: true };
const isNowhere = (at) => !at || at === document.body;
const itemOf = (node) => node.closest("[part~=item]")?.id;

// That of the whole page, also within shadow trees.
function findFocus(root = document) {
  const { activeElement: at } = root;
  return (at?.shadowRoot && findFocus(at.shadowRoot)) ?? at;
}

// What comes late leads on only who is still where they were when it was asked for and has typed nothing since, or
// who is nowhere. It is asked when that begins, and gives what leads.
function leadLater() {
  const before = findFocus();
  const value = before?.value;
  return (node) => {
    const now = findFocus();
    if (isNowhere(now) || (now === before && now.value === value)) node.focus();
  };
}

// What has the focus and goes away, or is hidden, hands it to the same control made anew, else to its nearest
// neighbour that stays.
class Focus {
  constructor(root) {
    this.root = root;
    root.addEventListener("focusin", ({ target }) => this.note(target));
    // Who leaves by themselves has left once this comes; what has gone is mended before.
    root.addEventListener("focusout", () => setTimeout(() => this.note(root.activeElement)));
    const watch = { childList: true, subtree: true, attributeFilter: ["hidden"] };
    new MutationObserver((changes) => this.mend(changes)).observe(root, watch);
  }

  note(at) {
    Object.assign(this, { at, path: [], item: at && itemOf(at) });
    for (let node = at; node?.parentElement; node = node.parentElement) this.path.push(node);
  }

  mend(changes) {
    const { at, root } = this;
    const now = findFocus();
    if (!at || (now === at ? isSeen(at) : !isNowhere(now))) return;
    const places = [...this.near(changes), ...this.path];
    const to = isSeen(at) ? at : this.same() ?? places.map(land).find(isSeen) ?? root.firstElementChild;
    to.focus(STAY);
    // Inputs for addresses have none.
    if (to.name && at.selectionStart !== null) to.setSelectionRange?.(at.selectionStart, at.selectionEnd);
  }

  // What stood beside that which was taken away.
  near(changes) {
    const gone = changes.filter(({ removedNodes }) => [...removedNodes].some((one) => this.path.includes(one)));
    return gone.flatMap(({ nextSibling: next, previousSibling: last }) => [
      next?.part ? next : next?.nextElementSibling, last?.part ? last : last?.previousElementSibling,
    ]);
  }

  same() {
    const { at, root, item } = this;
    const all = [...root.querySelectorAll("[part]")].filter((one) => itemOf(one) === item && isSeen(one));
    const tell = ({ name, part, textContent }) => [name, part, textContent].join();
    return all.find((one) => tell(one) === tell(at)) ?? all.find((one) => item && one.matches(LANDINGS));
  }
}

// The comment, or heading of the form, that a place is, holds or is in.
function land(place) {
  return place && ([...place.querySelectorAll(LANDINGS)].find(isSeen) ?? place.closest(LANDINGS));
}

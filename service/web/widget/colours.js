// Light or dark by what stands behind the comments on the page, whatever the system or `color-scheme` say.

// Between these no colour of either palette (comments.css) has the contrast of WCAG's AA, 4.5 to 1.
const DARKEST_LIGHT = 0.7;
const LIGHTEST_DARK = 0.055;
// Text that has less contrast to what was found may stand on what we cannot see, and with this little it does.
const UNSURE = 3;
const UNREADABLE = 2;
const LOOK_MS = 500;

const above = (node) => node.assignedSlot ?? node.parentElement ?? node.getRootNode().host;

// Any colour that a browser computes, as red, green, blue and alpha of sRGB, each from 0 to 1.
function readColour(probe, colour) {
  probe.style.color = `color-mix(in srgb, ${colour} 100%, ${colour})`;
  const numbers = getComputedStyle(probe).color.match(/-?[\d.]+(e-?\d+)?|none/g).map((one) => Number(one) || 0);
  return [...numbers.slice(0, 3), numbers[3] ?? 1];
}

// Relative luminance, as WCAG 2 defines it.
function luminance([red, green, blue]) {
  const [r, g, b] = [red, green, blue].map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

const contrast = (one, other) => (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);

// The luminance of what is behind an element, or nothing where that is a picture.
function findLuminance(element, probe) {
  let shown = [0, 0, 0];
  let covered = 0;
  const cover = (colour) => {
    const [red, green, blue, alpha] = readColour(probe, colour);
    const share = alpha * (1 - covered);
    shown = shown.map((one, at) => one + share * [red, green, blue][at]);
    covered += share;
  };
  for (let node = element; node && covered < 0.99; node = above(node)) {
    const { backgroundColor, backgroundImage, display } = getComputedStyle(node);
    if (display === "contents") continue;
    if (backgroundImage !== "none") return undefined;
    cover(backgroundColor);
  }
  probe.style.colorScheme = getComputedStyle(document.documentElement).colorScheme;
  if (covered < 0.99) cover("Canvas");
  return luminance(shown);
}

class Colours {
  constructor(host, signal) {
    this.host = host;
    // No event tells of all that may paint a page: classes, style sheets, animations, sizes.
    const timer = setInterval(() => this.look(), LOOK_MS);
    signal.addEventListener("abort", () => clearInterval(timer));
  }

  paint(section) {
    this.section = section;
    this.look();
  }

  look() {
    const probe = make("i", "", "", { hidden: "" });
    this.section.append(probe);
    const ink = luminance(readColour(probe, getComputedStyle(this.host).color));
    const found = findLuminance(this.host, probe);
    probe.remove();
    const theme = this.host.getAttribute("theme");
    const isChosen = theme === "dark" || theme === "light";
    // Neither of these is a number where nothing was found.
    const sure = isChosen ? UNSURE : contrast(ink, found);
    const isDark = isChosen ? theme === "dark" : sure >= UNREADABLE ? found < 0.3 : ink > 0.3;
    this.section.style.colorScheme = isDark ? "dark" : "light";
    const fits = sure >= UNSURE && (isDark ? found <= LIGHTEST_DARK : found >= DARKEST_LIGHT);
    this.section.toggleAttribute("data-painted", !fits);
  }
}

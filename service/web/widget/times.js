// When a comment was written: how long ago, or the day, with the exact time at hand.
const RELATIVE_DAYS = 30;
const UNITS = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]];

class Times {
  constructor({ locale, signal }, list) {
    this.days = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
    this.moments = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "short" });
    this.ago = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
    const clock = setInterval(() => list.querySelectorAll("time").forEach((time) => this.tell(time)), 60_000);
    signal.addEventListener("abort", () => clearInterval(clock));
  }

  tell(time) {
    const date = new Date(time.dateTime);
    // A reader's clock may be slow.
    const age = Math.max(0, Date.now() - date);
    const [unit, length] = UNITS.find(([, length]) => age >= length) ?? UNITS.at(-1);
    const isOld = age >= RELATIVE_DAYS * UNITS[0][1];
    time.textContent = isOld ? this.days.format(date) : this.ago.format(-Math.trunc(age / length), unit);
    time.title = this.moments.format(date);
    time.closest("a")?.setAttribute("aria-label", `${time.textContent}, ${time.title}`);
  }
}

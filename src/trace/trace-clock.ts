// Time stamps to cycles. With the trace clock x86-tsc a stamp is the TSC itself, which trace-cmd
// prints divided by 1e9; with any other clock it is seconds, and cycles follow from the TSC's
// frequency.

/** Without a header that says so, a cycle is a nanosecond. */
const NANOSECOND_MHZ = 1000;
const NANOSECOND_DIGITS = 9;

export class TraceClock {
  tscMhz = NANOSECOND_MHZ;
  private stampIsTsc = false;
  private first: number | undefined;

  /** The recorder's header: clock and TSC frequency. */
  useHeader(header: Readonly<Record<string, string>>): void {
    this.stampIsTsc = header["clock"] === "x86-tsc";
    const mhz = Number(header["tsc_mhz"]);
    if (mhz > 0) this.tscMhz = mhz;
  }

  /** Cycles since the first stamp. */
  cycleOf(stamp: string): number {
    const dot = stamp.indexOf(".");
    const counts = dot < 0 ? Number(stamp) : nanosecondsOf(stamp, dot);
    this.first ??= counts;
    const elapsed = counts - this.first;
    if (dot < 0 || this.stampIsTsc || this.tscMhz === NANOSECOND_MHZ) return elapsed;
    return Math.round((elapsed * this.tscMhz) / NANOSECOND_MHZ);
  }
}

const nanosecondsOf = (stamp: string, dot: number): number =>
  Number(stamp.slice(0, dot) + stamp.slice(dot + 1).padEnd(NANOSECOND_DIGITS, "0"));

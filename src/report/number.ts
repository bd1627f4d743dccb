// Numbers as people read them at a glance: three significant digits and a thousands letter.

const LETTERS = [
  { letter: "G", unit: 1e9 },
  { letter: "M", unit: 1e6 },
  { letter: "k", unit: 1e3 },
];

/** 12, 1.2k, 34.5k, 3.4M: whole below 1000, then at most three digits and a letter. */
export function brief(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const size = Math.abs(value);
  if (size < 999.5) return size >= 100 || Number.isInteger(value) ? value.toFixed(0) : short(value);
  const { letter, unit } = LETTERS.find((one) => size >= one.unit * 0.9995) ?? LETTERS[2]!;
  return `${short(value / unit)}${letter}`;
}

/** A ratio: 1.05, 3.2, 118. */
export function ratio(value: number): string {
  if (!Number.isFinite(value)) return "-";
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** A change in percent with its sign: -12 %, +3.4 %. */
export function change(from: number, to: number): string {
  if (from === 0) return "-";
  const percent = ((to - from) / from) * 100;
  const digits = Math.abs(percent) < 10 ? 1 : 0;
  return `${percent > 0 ? "+" : ""}${percent.toFixed(digits)} %`;
}

function short(value: number): string {
  return value.toFixed(Math.abs(value) >= 99.95 ? 0 : 1);
}

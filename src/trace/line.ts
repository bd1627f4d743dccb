// One line of a trace: the fields in front of the event, in the three forms in which Linux tools
// print them, which differ little: the kernel's own text, `trace-cmd report -t`, `perf script --ns`.
//
//   kernel     comm-pid   ( tgid) [cpu] flags timestamp: event: ... | sys_x(...) | sys_x -> result
//   trace-cmd  comm-pid   [cpu] seconds: event: ... | sys_enter_x: ... | sys_exit_x: result
//   perf       comm pid [cpu] seconds: group:event: ...

export interface TraceLine {
  readonly comm: string;
  readonly pid: number;
  readonly cpu: number;
  /** Undefined where the form has no flags. */
  readonly interrupt: boolean | undefined;
  /** As printed: an integer or seconds with a fraction. */
  readonly timestamp: string;
  /** The event's name; of a system call "sys_enter_x" or "sys_exit_x" in every form. */
  readonly name: string;
  /** What follows the name. */
  readonly fields: string;
}

const KERNEL =
  /^ *(\S.{0,15}?)-(\d+) +(?:\( *(?:-+|\d+)\) +)?\[(\d+)\] +(?:([^\s[]{4,7}) +)?(\d+(?:\.\d+)?): +(\w+)(: ?|\(| -> )(.*)$/;
const PERF =
  /^ *(\S.{0,15}?) +(\d+)(?:\/\d+)? +\[(\d+)\] +(\d+\.\d+): +(?:\d+ +)?\w+:(\w+): ?(.*)$/;

/** The third flag: hard or soft interrupt (h, H, s, S, z, Z), or a dot. */
const INTERRUPT_FLAG = 2;

/** The line's fields, or undefined if it is in none of the three forms. */
export function parseTraceLine(text: string): TraceLine | undefined {
  const kernel = KERNEL.exec(text);
  if (kernel !== null) return kernelLine(kernel);
  const perf = PERF.exec(text);
  return perf === null ? undefined : perfLine(perf);
}

function kernelLine(match: RegExpExecArray): TraceLine {
  const flags = match[4];
  const name = match[6]!;
  const separator = match[7]!;
  const fields = match[8]!;
  return {
    comm: match[1]!,
    pid: Number(match[2]),
    cpu: Number(match[3]),
    interrupt: flags === undefined ? undefined : flags[INTERRUPT_FLAG] !== ".",
    timestamp: match[5]!,
    name: nameOf(name, separator),
    fields: separator === "(" ? fields.slice(0, fields.lastIndexOf(")")) : fields,
  };
}

/** The kernel prints "sys_x(arguments)" and "sys_x -> result" for sys_enter_x and sys_exit_x. */
function nameOf(name: string, separator: string): string {
  if (separator === "(") return name.replace(/^sys_/, "sys_enter_");
  if (separator === " -> ") return name.replace(/^sys_/, "sys_exit_");
  return name;
}

function perfLine(match: RegExpExecArray): TraceLine {
  return {
    comm: match[1]!,
    pid: Number(match[2]),
    cpu: Number(match[3]),
    interrupt: undefined,
    timestamp: match[4]!,
    name: match[5]!,
    fields: match[6]!,
  };
}

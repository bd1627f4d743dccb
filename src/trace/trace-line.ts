// One line of a trace: the fields in front of the event, in the three forms in which Linux tools
// print them: the kernel's own text, `trace-cmd report -t`, `perf script --ns`. They differ little.
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

const COMM = /^ *(\S.{0,15}?)/.source;
const THREAD_GROUP = /(?:\( *(?:-+|\d+)\) +)?/.source;
const CPU = /\[(\d+)\] +/.source;
const FLAGS = /(?:([^\s[]{4,7}) +)?/.source;
const KERNEL = new RegExp(
  `${COMM}-(\\d+) +${THREAD_GROUP}${CPU}${FLAGS}` +
    /(\d+(?:\.\d+)?): +(\w+)(: *|\(| -> )(.*)$/.source,
);
const PERF = new RegExp(
  `${COMM} +(\\d+)(?:/\\d+)? +${CPU}` + /(\d+\.\d+): +(?:\d+ +)?\w+:(\w+): *(.*)$/.source,
);

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

// What the system says about a file that somebody named, as bad input in one line.

import { BadInput } from "./bad-input.ts";

/** What the file should be, for the messages. */
export interface FileKind {
  /** As in "name a recorded trace". */
  readonly name: string;
  /** What to do about a file that is not whole. */
  readonly repair: string;
}

export const NO_SUCH_FILE = "no such file";

export const isDirectory = (path: string): BadInput =>
  new BadInput(path, "a directory", "name one file in it");

/** The error as bad input; one that is not of the system stays what it is. */
export function fileProblem(path: string, error: unknown, { name, repair }: FileKind): unknown {
  const code = codeOf(error);
  switch (code) {
    case undefined:
      return error;
    case "ENOENT":
    case "ENOTDIR":
    case "ENAMETOOLONG":
      return new BadInput(path, NO_SUCH_FILE, `name ${name}`);
    case "ELOOP":
      return new BadInput(path, "a link that leads to itself", `name ${name}`);
    case "EISDIR":
      return isDirectory(path);
    case "EACCES":
    case "EPERM":
      return new BadInput(path, "not readable", "change its permissions");
    case "Z_BUF_ERROR":
      return new BadInput(path, "gzip data ends too early", repair);
    case "Z_DATA_ERROR":
      return new BadInput(path, "damaged gzip data", repair);
    default:
      return new BadInput(path, code, `name ${name}`);
  }
}

/** By its name what the operating system answered to a call, or zlib, or Node of a path. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof BadInput || !("code" in error))
    return undefined;
  const { code } = error;
  if (typeof code !== "string") return undefined;
  const isOfFile = "syscall" in error || code.startsWith("Z_") || code === "ERR_INVALID_ARG_VALUE";
  return isOfFile ? code : undefined;
}

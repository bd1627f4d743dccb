// Files that a command writes a result to (`--out`, `--diagram`): there whole or not at all, and
// looked at before anything is run.

import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, extname, resolve } from "node:path";
import process from "node:process";
import { BadInput } from "../base/bad-input.ts";

/** Stands for standard output in place of a file. */
const STDOUT = "-";

/** Who may read and write a new file, before the umask. */
const NEW_FILE_MODE = 0o666;
/** Linux's own limit (MAXSYMLINKS). */
const MOST_LINKS = 40;

export interface ResultFile {
  readonly path: string;
  /** It is the command's own standard output: nothing else may be printed there. */
  readonly isStdout: boolean;
  /** Writes all of it. Fails as bad input, with what was there before left as it was. */
  write(text: string): void;
}

/**
 * A file that can be written, as far as that can be known before. One that is there keeps its mode,
 * and its name stays a link if it is one. Into a device or a pipe, the text is written as it is.
 *
 * @param option - The option that names it: errors begin with that.
 * @param extensions - Those that are known; none at all is as good.
 */
export function resultFile(
  option: string,
  path: string,
  extensions: readonly string[],
): ResultFile {
  const write = attempting(option, path, () => writerOf(option, path, extensions));
  return {
    path,
    isStdout: write === toStdout,
    write: (text) => attempting(option, path, () => write(text)),
  };
}

type Write = (text: string) => void;

const toStdout: Write = (text) => {
  process.stdout.write(text);
};

/** How the file is to be written, or why it cannot be. */
function writerOf(option: string, path: string, extensions: readonly string[]): Write {
  if (path === "") throw new BadInput(option, path, "give the name of a file");
  if (path === STDOUT) return toStdout;
  const target = followed(path);
  const there = statSync(target, { throwIfNoEntry: false });
  if (there?.isDirectory() === true) {
    throw new BadInput(option, path, "a directory; give the name of a file");
  }
  if (there !== undefined && isOpenAs(process.stdout.fd, there)) return toStdout;
  // A device, a pipe, a socket: opened when there is something to write, as a shell would.
  if (there !== undefined && !there.isFile()) return (text) => writeFileSync(target, text);
  refuseUnknown(option, path, extensions);
  refuseMissingFolder(option, path, target);
  if (isReplaceable(target, there)) return (text) => replace(target, text, there);
  return (text) => overwrite(target, text);
}

function isOpenAs(file: number, { dev, ino }: Stats): boolean {
  const open = fstatSync(file);
  return open.dev === dev && open.ino === ino;
}

function refuseUnknown(option: string, path: string, extensions: readonly string[]): void {
  const extension = extname(path);
  if (extension === "" || extensions.includes(extension)) return;
  throw new BadInput(option, path, `give a file that ends in ${extensions.join(" or ")}`);
}

function refuseMissingFolder(option: string, path: string, target: string): void {
  const folder = dirname(target);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new BadInput(option, path, `make the directory ${folder} first`);
}

/**
 * Whether a file beside it can take its place: tried, since neither modes nor access(2) tell of a
 * file system that is read-only or full. Else it must be possible to write into it.
 */
function isReplaceable(target: string, there: Stats | undefined): boolean {
  const beside = besideOf(target);
  try {
    const file = openSync(beside, "wx");
    try {
      if (there !== undefined) keepOwner(file, there);
    } finally {
      closeSync(file);
      rmSync(beside, { force: true });
    }
    return true;
  } catch (error) {
    if (there === undefined) throw error;
    closeSync(openSync(target, "r+"));
    return false;
  }
}

const besideOf = (target: string): string => `${target}.${process.pid}.part`;

function keepOwner(file: number, { uid, gid, mode }: Stats): void {
  fchownSync(file, uid, gid);
  fchmodSync(file, mode & 0o7777);
}

/** Writes beside the file and renames, so that no reader sees half of it. */
function replace(target: string, text: string, there: Stats | undefined): void {
  const beside = besideOf(target);
  try {
    const file = openSync(beside, "wx", NEW_FILE_MODE);
    try {
      if (there !== undefined) keepOwner(file, there);
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, target);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
  syncFolder(dirname(target));
}

/** A rename lasts once its directory is on disk; not every file system can be asked. */
function syncFolder(folder: string): void {
  const file = openSync(folder, "r");
  try {
    fsyncSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
  } finally {
    closeSync(file);
  }
}

/** Where nothing may be made beside it: a file of somebody else's, or in a folder of theirs. */
function overwrite(target: string, text: string): void {
  writeFileSync(target, text, { flush: true });
}

/** The file that a name ends at, which need not be there. */
function followed(path: string): string {
  let target = resolve(path);
  for (let links = 0; links < MOST_LINKS; links++) {
    const there = statSync(target, { throwIfNoEntry: false });
    // What /dev/fd names has no path of its own.
    if (there !== undefined) return there.isFile() ? realpathSync(target) : target;
    const next = linkAt(target);
    if (next === undefined) return target;
    target = resolve(dirname(target), next);
  }
  return target;
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (["ENOENT", "EINVAL"].includes((error as NodeJS.ErrnoException).code!)) return undefined;
    throw error;
  }
}

/** What the file system refuses is bad input that names the option. */
function attempting<T>(option: string, path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof BadInput || code === undefined) throw error;
    throw new BadInput(option, path, `${code}; give a file that can be written`);
  }
}

// The package as its users get it: packed, and unpacked in a folder that depends on it.

import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Ended, shootdownFrom } from "./cli/command.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const COMPILER_OPTIONS = {
  module: "nodenext",
  target: "es2022",
  lib: ["es2023"],
  strict: true,
  noUncheckedIndexedAccess: true,
  types: ["node"],
};

export class Installed {
  /** The user's folder, with the examples of the package. */
  readonly folder = mkdtempSync(join(tmpdir(), "shootdown-package-"));
  /** Where the package is in it. */
  readonly package = join(this.folder, "node_modules", "shootdown");

  constructor() {
    const words = ["pack", ROOT, "--ignore-scripts", "--pack-destination", this.folder, "--json"];
    const [packed] = JSON.parse(this.run("npm", ...words)) as [{ filename: string }];
    mkdirSync(this.package, { recursive: true });
    const archive = join(this.folder, packed.filename);
    this.run("tar", "-xzf", archive, "-C", this.package, "--strip-components", "1");
    const { dependencies } = JSON.parse(
      readFileSync(join(this.package, "package.json"), "utf8"),
    ) as { dependencies: Record<string, string> };
    for (const name of [...Object.keys(dependencies), "@types/node"]) this.link(name);
    cpSync(join(this.package, "examples"), join(this.folder, "examples"), { recursive: true });
    this.write("package.json", '{"type": "module", "private": true}');
    const project = { compilerOptions: COMPILER_OPTIONS, include: ["*.ts", "examples/*.ts"] };
    this.write("tsconfig.json", JSON.stringify(project));
  }

  write(name: string, text: string | Uint8Array): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** What the command prints; an error where it fails. */
  run(command: string, ...words: readonly string[]): string {
    const stdio = ["ignore", "pipe", "pipe"] as const;
    return execFileSync(command, words, { cwd: this.folder, encoding: "utf8", stdio: [...stdio] });
  }

  /** What `npx shootdown ...` in the user's folder does, in this process. */
  shootdown(...words: readonly string[]): Promise<Ended> {
    const cli = pathToFileURL(join(this.package, "dist/cli/"));
    return shootdownFrom(cli, this.folder, words);
  }

  /** Compiles what the user wrote, in place; an error where the types refuse it. */
  typeCheck(): void {
    this.run(process.execPath, join(ROOT, "node_modules/typescript/bin/tsc"), "-p", ".");
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What npm install would fetch: the dependencies, here those of the repository. */
  private link(name: string): void {
    const target = join(this.folder, "node_modules", name);
    mkdirSync(dirname(target), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), target);
  }
}

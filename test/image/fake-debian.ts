import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { RECIPE, recipeLines } from "../../src/image/recipe.ts";
import { elfWithModuleInfo } from "./elf.ts";
import { KERNEL } from "./made-up-image.ts";

/**
 * A `mmdebstrap` first in PATH, for as long as this lives. It stands at the edge of the machine: it hands out a guest tree of a few files as
 * customize.sh would make it, or misbehaves on order. Everything after it (EROFS, squashfs, archives) is real.
 */
export class FakeDebian implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "hype-debian-"));
  readonly agent: string;
  readonly #realPath = process.env.PATH!;

  constructor() {
    process.env.PATH = `${join(this.path, "bin")}:${this.#realPath}`;
    this.agent = this.#write("agent", "the agent");
    this.#write("calls", "");
    this.setFiles({ "etc/greeting": "hello" });
    this.behave("well");
  }

  [Symbol.dispose](): void {
    process.env.PATH = this.#realPath;
    rmSync(this.path, { recursive: true });
  }

  /** What is in the guest beside what every guest has. Files get the date of now, not a fixed one. */
  setFiles(files: Record<string, string>): void {
    rmSync(join(this.path, "tree"), { recursive: true, force: true });
    const builtin = recipeLines(RECIPE["modules.txt"]).map(([name]) => `kernel/${name}.ko\n`);
    const all: Record<string, string | Buffer> = {
      packages: "base-files 12.4\nchromium-headless-shell 156.0.1-1~deb12u1\n",
      created: "1700000000\n",
      "boot/version": "6.1.0-test\n",
      "boot/vmlinuz": KERNEL,
      "boot/modules/modules.builtin": builtin.filter((line) => !line.includes("erofs")).join(""),
      "boot/modules/kernel/fs/erofs.ko": elfWithModuleInfo(["depends="]),
      "root/usr/bin/busybox": "busybox",
    };
    for (const [name, data] of Object.entries(files)) all[`root/${name}`] = data;
    for (const [name, data] of Object.entries(all)) this.#write(join("tree", name), data);
  }

  touchFiles(date: Date): void {
    for (const name of new Bun.Glob("**/*").scanSync(join(this.path, "tree")))
      utimesSync(join(this.path, "tree", name), date, date);
  }

  /** `line`: what it says and fails with; `hang`: it says `hanging` and never ends. */
  behave(how: "well" | "hang" | { line: string }): void {
    const tail =
      how === "well"
        ? `for word; do case $word in *"-cf '"*) tar=\${word##*-cf \\'}; tar=\${tar%%\\'*} ;; esac; done
exec tar -C ${join(this.path, "tree")} -cf "$tar" .`
        : how === "hang"
          ? "echo hanging >&2\nexec tail -f /dev/null"
          : `echo "${how.line}" >&2\nexit 25`;
    const program = this.#write("bin/mmdebstrap", `#!/bin/sh\necho "$*" >>${join(this.path, "calls")}\n${tail}\n`);
    chmodSync(program, 0o755);
  }

  /** The command lines it was called with. */
  get calls(): string[] {
    return readFileSync(join(this.path, "calls"), "utf8")
      .split("\n")
      .filter((line) => line.startsWith("--quiet"));
  }

  #write(name: string, data: string | Buffer): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, data);
    return path;
  }
}

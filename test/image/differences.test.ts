import { expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { differences } from "../lib/differences.ts";
import { ImageDir } from "./made-up-image.ts";

test("two root file systems: what differs is named, what is the same is not", async () => {
  using dir = new ImageDir();
  const make = (name: string, content: string, mode: number, target: string) => {
    const tree = dir.file(`${name}.tree`);
    mkdirSync(`${tree}/etc/.hidden`, { recursive: true });
    writeFileSync(`${tree}/etc/same`, "same");
    writeFileSync(`${tree}/etc/.hidden/content`, content);
    writeFileSync(`${tree}/etc/mode`, "x", { mode });
    symlinkSync(target, `${tree}/etc/link`);
    const { exitCode } = Bun.spawnSync(["mkfs.erofs", "--quiet", "-T0", dir.file(name), tree]);
    expect(exitCode).toBe(0);
    return dir.file(name);
  };
  const first = make("first", "one", 0o644, "same");
  const second = make("second", "two", 0o600, "mode");
  const found = (await differences(first, second, dir.file("scratch"))).map((line) =>
    line.split(" ").slice(0, 3).join(" "),
  );
  expect(found).toEqual([
    "- etc/.hidden/content 100644",
    "+ etc/.hidden/content 100644",
    "- etc/link 120777",
    "+ etc/link 120777",
    "- etc/mode 100644",
    "+ etc/mode 100600",
  ]);
  expect(await differences(first, first, dir.file("scratch"))).toEqual([]);
});

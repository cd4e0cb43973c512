import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { Reach } from "../../../src/hypervisor/jail/reach.ts";
import { temporaryDirectory } from "../../lib/temporary.ts";

const UID = 1_900_000_077;
function file(directory: { join(...parts: string[]): string }, name: string, mode: number): string {
  writeFileSync(directory.join(name), "");
  chmodSync(directory.join(name), mode);
  return directory.join(name);
}

test("a file everybody can walk to keeps its name", () => {
  const reach = new Reach(UID, "/nowhere");
  expect(reach.nameOf("/etc/passwd", "read")).toBe("/etc/passwd");
  expect(reach.files).toEqual([]);
});

test("behind a closed directory it is named by a descriptor, the same at every question", () => {
  using directory = temporaryDirectory(); // 0700
  const [kernel, console] = [file(directory, "kernel", 0o644), file(directory, "console", 0o600)];
  const reach = new Reach(UID, "/nowhere");
  expect(reach.nameOf(kernel, "read")).toBe("/proc/self/fd/5");
  expect(reach.nameOf(console, "append")).toBe("/proc/self/fd/6");
  expect(reach.nameOf(kernel, "read")).toBe("/proc/self/fd/5");
  expect(reach.files).toEqual([
    { path: kernel, mode: "read" },
    { path: console, mode: "append" },
  ]);
});

test("a link in an open directory to a closed one does not help the VMM", () => {
  using closed = temporaryDirectory();
  using open = temporaryDirectory();
  chmodSync(open.path, 0o755);
  file(closed, "kernel", 0o644);
  symlinkSync(closed.join("kernel"), open.join("kernel"));
  expect(new Reach(UID, "/nowhere").nameOf(open.join("kernel"), "read")).toBe("/proc/self/fd/5");
});

test("the server's own user needs no help", () => {
  using directory = temporaryDirectory();
  const kernel = file(directory, "kernel", 0o600);
  expect(new Reach(null, "/nowhere").nameOf(kernel, "read")).toBe(kernel);
});

test("a file that is closed itself is refused with the remedy, but an image of ours is opened", () => {
  using directory = temporaryDirectory();
  mkdirSync(directory.join("images"));
  const [foreign, ours] = [file(directory, "kernel", 0o600), file(directory, "images/kernel", 0o600)];
  const reach = new Reach(UID, directory.join("images"));
  expect(() => reach.nameOf(foreign, "read")).toThrow(
    expect.objectContaining({ code: "jail_unavailable", message: expect.stringContaining("chmod o+r") }),
  );
  reach.nameOf(ours, "read");
  expect([statSync(ours).mode & 0o777, statSync(foreign).mode & 0o777]).toEqual([0o644, 0o600]);
});

test("more files than a shell has digits are refused", () => {
  using directory = temporaryDirectory();
  const reach = new Reach(UID, "/nowhere");
  for (let index = 0; index < 5; index++) reach.nameOf(file(directory, `f${index}`, 0o644), "read");
  expect(() => reach.nameOf(file(directory, "f5", 0o644), "read")).toThrow(/more than 5/);
});

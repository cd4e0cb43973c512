import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ImageFormat } from "../../src/contract/index.ts";
import { type BuildOptions, buildImage } from "../../src/image/build.ts";
import { Images } from "../../src/image/images.ts";
import { silentLog } from "../../src/log/log.ts";
import { FakeDebian } from "./fake-debian.ts";
import { codeOf, ImageDir } from "./made-up-image.ts";

let debian: FakeDebian;
let dir: ImageDir;
beforeEach(() => {
  debian = new FakeDebian();
  dir = new ImageDir();
});
afterEach(() => {
  debian[Symbol.dispose]();
  dir[Symbol.dispose]();
});

const build = (options: Partial<BuildOptions> & { into?: ImageDir } = {}) =>
  buildImage({
    config: { imageDir: (options.into ?? dir).path, aptMirrors: [] },
    log: silentLog,
    format: "layered",
    agentBinary: debian.agent,
    source: "mmdebstrap",
    ...options,
  });
const imagesIn = (directory: ImageDir) =>
  new Images({ imageDir: directory.path, kernel: null, initramfs: null }, silentLog);
/** Everything that stands in an image directory but the lock, which is an empty file for ever. */
const entries = (directory: ImageDir) =>
  readdirSync(directory.path)
    .filter((name) => name !== ".build.lock")
    .sort();
const output = (...argv: string[]) => Bun.spawnSync(argv, { stderr: "inherit" }).stdout;

describe("building an image", () => {
  test("it can be booted, is the default, and its manifest says what is in it", async () => {
    const steps: string[] = [];
    const manifest = await build({ onProgress: (step) => void steps.push(step) });
    expect(manifest).toMatchObject({
      format: "layered",
      source: "mmdebstrap",
      kernel_version: "6.1.0-test",
      chromium_version: "156.0.1",
      created_at: "2023-11-14T22:13:20.000Z",
      packages: { "base-files": "12.4", "chromium-headless-shell": "156.0.1-1~deb12u1" },
    });
    expect(manifest.files.map(({ name }) => name)).toEqual(["initramfs", "rootfs.erofs", "vmlinuz"]);
    expect(entries(dir)).toEqual([".cache", manifest.id, "default"].sort());
    expect((await imagesIn(dir).resolve(null)).id).toBe(manifest.id);
    expect(new Set(steps)).toEqual(new Set(["packages", "rootfs", "agent", "initramfs", "done"]));
  });

  test("the root disk holds the guest's files, the initramfs the agent", async () => {
    const { id } = await build();
    const extracted = dir.file("extracted");
    output("fsck.erofs", `--extract=${extracted}`, dir.file(id, "rootfs.erofs"));
    expect(readFileSync(join(extracted, "etc/greeting"), "utf8")).toBe("hello");

    const stored = dir.file("stored");
    mkdirSync(stored);
    Bun.spawnSync(["cpio", "-i", "--quiet"], { cwd: stored, stdin: Bun.file(dir.file(id, "initramfs")) });
    expect(readdirSync(stored)).toEqual(["agent.squashfs"]);
    expect(output("unsquashfs", "-cat", join(stored, "agent.squashfs"), "hype-agent").toString()).toBe("the agent");
  });

  test.each<ImageFormat>(["layered", "bundle"])("same inputs, same bytes: %s", async (format) => {
    using other = new ImageDir();
    debian.setFiles({ "etc/a": "1", "etc/b": "2", "usr/c": "3".repeat(100_000) });
    const first = await build({ format });
    debian.setFiles({ "usr/c": "3".repeat(100_000), "etc/b": "2", "etc/a": "1" });
    debian.touchFiles(new Date("2001-01-01"));
    const second = await build({ format, into: other });
    expect(second).toEqual(first);
    for (const name of ["manifest.json", ...first.files.map((file) => file.name)])
      expect(readFileSync(other.file(first.id, name)).equals(readFileSync(dir.file(first.id, name)))).toBe(true);
  });

  test("a bundle is one initramfs with the root in it", async () => {
    const layered = await build();
    const bundle = await build({ format: "bundle" });
    expect(bundle.id).not.toBe(layered.id);
    expect(bundle.files.map(({ name }) => name)).toEqual(["initramfs", "vmlinuz"]);
    const names = Bun.spawnSync(["cpio", "-t", "--quiet"], { stdin: Bun.file(dir.file(bundle.id, "initramfs")) });
    expect(names.stdout.toString()).toBe("agent.squashfs\nrootfs.erofs\n");
    expect((await imagesIn(dir).resolve(bundle.id)).rootfs).toBeNull();
  });

  test("what is there is not made again; another agent takes the root from the cache; force makes all anew", async () => {
    const first = await build();
    expect((await build()).id).toBe(first.id);
    expect(debian.calls).toHaveLength(1);

    writeFileSync(debian.agent, "another agent");
    const second = await build();
    expect(second.id).not.toBe(first.id);
    expect(debian.calls).toHaveLength(1);

    debian.setFiles({ "etc/greeting": "newer packages" });
    const third = await build({ force: true });
    expect(third.id).not.toBe(second.id);
    expect(debian.calls).toHaveLength(2);
    expect(imagesIn(dir).list()).toHaveLength(3);
    expect(imagesIn(dir).get("default").id).toBe(third.id);
    expect(readdirSync(dir.file(".cache"))).toHaveLength(1);
  });

  test("the default can be left as it is", async () => {
    const first = await build();
    await build({ format: "bundle", keepDefault: true });
    expect(imagesIn(dir).get("default").id).toBe(first.id);
  });

  test("a mirror reaches the tool, signatures still checked", async () => {
    await build({ config: { imageDir: dir.path, aptMirrors: ["http://mirror.test/debian"] } });
    expect(debian.calls[0]).toEndWith("bookworm /dev/null -");
    expect(debian.calls[0]).not.toContain("trusted");
  });
});

describe("a build that fails leaves nothing and says why", () => {
  test.each([
    ["image_build_failed", "E: Unable to locate package nonsense"],
    ["disk_full", "dpkg: error: cannot copy: No space left on device"],
    ["disk_full", "E: You don't have enough free space in /var/cache/apt/archives/."],
  ])("%s: %s", async (code, line) => {
    debian.behave({ line });
    expect(await codeOf(build)).toBe(code);
    await expect(build()).rejects.toThrow(line);
    expect(entries(dir)).toEqual([".cache"]);
    expect(readdirSync(dir.file(".cache"))).toEqual([]);
  });

  test("an earlier image stays the default", async () => {
    const first = await build();
    debian.behave({ line: "E: no network" });
    expect(await codeOf(() => build({ force: true }))).toBe("image_build_failed");
    expect(entries(dir)).toEqual([".cache", first.id, "default"].sort());
    expect((await imagesIn(dir).verify("default")).ok).toBe(true);
  });

  test("the agent is not there", async () => {
    expect(await codeOf(() => build({ agentBinary: "/nonexistent/hype-agent" }))).toBe("image_build_failed");
    expect(entries(dir)).toEqual([]);
    expect(debian.calls).toEqual([]);
  });

  test.each([
    ["auto", /tool_missing .*mmdebstrap, docker, podman or buildah.*apt-get install mmdebstrap/],
    ["mmdebstrap", /tool_missing .*mkfs\.erofs, mksquashfs.*apt-get install erofs-utils squashfs-tools/],
  ])("no tool at all (%s): named with its package and how to get it", (source, words) => {
    const script = `
      import { buildImage } from "${join(import.meta.dir, "../../src/image/build.ts")}";
      import { silentLog } from "${join(import.meta.dir, "../../src/log/log.ts")}";
      const config = { imageDir: ${JSON.stringify(dir.path)}, aptMirrors: [] };
      await buildImage({ config, log: silentLog, format: "layered", agentBinary: "/", source: "${source}" })
        .catch((thrown) => console.log(thrown.code, thrown.message));`;
    const { stdout } = Bun.spawnSync([process.execPath, "-e", script], { env: { PATH: "/nonexistent" } });
    expect(stdout.toString()).toMatch(words);
    expect(entries(dir)).toEqual([]);
  });

  test("cancelled: the tool and its children are gone", async () => {
    debian.behave("hang");
    const abort = new AbortController();
    const attempt = build({
      signal: abort.signal,
      onProgress: (_, text) => {
        if (text.includes("hanging")) abort.abort();
      },
    });
    expect(await codeOf(() => attempt)).toBe("cancelled");
    expect(entries(dir)).toEqual([".cache"]);
    // Its words on the command line are found in /proc for as long as it lives.
    const commands = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    const alive = commands.filter((pid) => {
      const file = `/proc/${pid}/cmdline`;
      return existsSync(file) && readFileSync(file, "utf8").includes(dir.path);
    });
    expect(alive).toEqual([]);
  });

  test("two at once: one builds, the other says so", async () => {
    const results = await Promise.all([codeOf(build), codeOf(build)]);
    expect(results.sort()).toEqual(["image_build_failed", "none"]);
    expect(imagesIn(dir).list()).toHaveLength(1);
  });

  test("what a killed build left is removed by the next", async () => {
    mkdirSync(dir.file(".build-1234/image"), { recursive: true });
    writeFileSync(dir.file(".build-1234/image/vmlinuz"), "half");
    const { id } = await build();
    expect(entries(dir)).toEqual([".cache", id, "default"].sort());
  });

  test.skipIf(process.getuid?.() !== 0)("the disk is full: an image is there whole or not at all", async () => {
    const mounted = dir.file("small");
    mkdirSync(mounted);
    // Holds some steps of the build, not all.
    expect(Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", mounted]).exitCode).toBe(0);
    try {
      debian.setFiles({ "etc/noise": Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString("base64") });
      const attempt = () => build({ config: { imageDir: mounted, aptMirrors: [] } });
      expect(await codeOf(attempt)).toBe("disk_full");
      expect(readdirSync(mounted).filter((name) => !name.startsWith(".build.lock"))).toEqual([".cache"]);
    } finally {
      expect(Bun.spawnSync(["umount", mounted]).exitCode).toBe(0);
    }
  });
});

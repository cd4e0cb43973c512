import { describe, expect, test } from "bun:test";
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { Images } from "../../src/image/images.ts";
import { silentLog } from "../../src/log/log.ts";
import { codeOf, ImageDir, KERNEL } from "./made-up-image.ts";

const A = "aaaa000000000000";
const B = "aabb000000000000";
const NOBODY = new Map<string, string[]>();

const imagesOf = (dir: ImageDir, overrides: { kernel?: string; initramfs?: string } = {}) =>
  new Images({ imageDir: dir.path, kernel: null, initramfs: null, ...overrides }, silentLog);

/** Turns one bit over in place; size and date of the file stay as they were. */
function flipByte(path: string): void {
  const { atime, mtime } = statSync(path);
  const bytes = readFileSync(path);
  bytes[3]! ^= 1;
  writeFileSync(path, bytes);
  utimesSync(path, atime, mtime);
}

describe("finding images", () => {
  test("no directory at all is no image, not a fault", async () => {
    const images = new Images({ imageDir: "/nonexistent/images", kernel: null, initramfs: null }, silentLog);
    expect(images.list()).toEqual([]);
    expect(await codeOf(() => images.resolve(null))).toBe("image_not_found");
  });

  test("listed newest first, the default marked; what is no image is left out", () => {
    using dir = new ImageDir();
    dir.addImage(A, { createdAt: "2026-01-01T00:00:00.000Z" });
    dir.addImage(B, { createdAt: "2026-02-01T00:00:00.000Z" });
    dir.addImage("broken");
    writeFileSync(dir.file("broken", "manifest.json"), "{}");
    const images = imagesOf(dir);
    images.setDefault(A);
    expect(images.list().map(({ id, is_default }) => [id, is_default])).toEqual([
      [B, false],
      [A, true],
    ]);
    expect(images.get(B).manifest.packages).toEqual({ base: "1" });
  });

  test.each([
    ["the whole id", A, A],
    ["the beginning of one", "aab", B],
    ["default", "default", A],
    ["the beginning of two", "aa", null],
    ["nothing like it", "ffff", null],
    ["empty", "", null],
    ["a path", "../etc", null],
    ["the build cache", ".cache", null],
  ])("by %s", async (_, ref, id) => {
    using dir = new ImageDir();
    dir.addImage(A);
    dir.addImage(B);
    const images = imagesOf(dir);
    images.setDefault(A);
    if (id) expect(images.get(ref).id).toBe(id);
    else expect(await codeOf(() => images.get(ref))).toBe("image_not_found");
  });

  test("a default whose image is gone is none", async () => {
    using dir = new ImageDir();
    dir.addImage(A);
    const images = imagesOf(dir);
    images.setDefault(A);
    rmSync(dir.file(A), { recursive: true });
    expect(await codeOf(() => images.resolve("default"))).toBe("image_not_found");
  });
});

describe("checking images", () => {
  test("a layered image has a root disk, a bundle has none", async () => {
    using dir = new ImageDir();
    dir.addImage(A);
    dir.addImage(B, { format: "bundle" });
    const images = imagesOf(dir);
    expect(await images.resolve(A)).toMatchObject({
      kernel: dir.file(A, "vmlinuz"),
      initramfs: dir.file(A, "initramfs"),
      rootfs: dir.file(A, "rootfs.erofs"),
    });
    expect((await images.resolve(B)).rootfs).toBeNull();
  });

  test.each(["vmlinuz", "initramfs", "rootfs.erofs"])(
    "one flipped bit in %s is found, before and after a good check",
    async (name) => {
      using dir = new ImageDir();
      dir.addImage(A);
      const images = imagesOf(dir);
      expect((await images.verify(A)).ok).toBe(true);
      expect((await images.resolve(A)).id).toBe(A);

      flipByte(dir.file(A, name));
      expect(await codeOf(() => images.resolve(A))).toBe("image_invalid");
      const verification = await images.verify(A);
      expect(verification.ok).toBe(false);
      expect(
        verification.files.filter(({ status }) => status !== "ok").map((file) => [file.name, file.status]),
      ).toEqual([[name, "damaged"]]);

      flipByte(dir.file(A, name));
      expect((await images.resolve(A)).id).toBe(A);
    },
  );

  test("every bad file is named: one cut short, one missing", async () => {
    using dir = new ImageDir();
    dir.addImage(A);
    truncateSync(dir.file(A, "initramfs"), 3);
    rmSync(dir.file(A, "rootfs.erofs"));
    const images = imagesOf(dir);
    await expect(images.resolve(A)).rejects.toThrow(/initramfs is damaged.*rootfs\.erofs is missing/);
    expect((await images.verify(A)).files.map(({ name, status }) => [name, status])).toEqual([
      ["initramfs", "damaged"],
      ["rootfs.erofs", "missing"],
      ["vmlinuz", "ok"],
    ]);
  });

  test("a file that was found good is not read again; verify reads it all the same", async () => {
    using dir = new ImageDir();
    dir.addImage(A);
    const images = imagesOf(dir);
    await images.resolve(A);
    flipByte(dir.file(A, "vmlinuz"));
    // As if the damaged file had been found good: only a check that trusts the note lets it pass.
    const note = JSON.parse(readFileSync(dir.file(A, "verified.json"), "utf8"));
    const { size, ino, mtimeNs, ctimeNs } = statSync(dir.file(A, "vmlinuz"), { bigint: true });
    note.vmlinuz = `${note.vmlinuz.split(" ")[0]} ${size} ${ino} ${mtimeNs} ${ctimeNs}`;
    writeFileSync(dir.file(A, "verified.json"), JSON.stringify(note));
    expect((await images.resolve(A)).id).toBe(A);
    expect((await images.verify(A)).ok).toBe(false);
  });

  test("a note that cannot be read is no verdict", async () => {
    using dir = new ImageDir();
    dir.addImage(A);
    const images = imagesOf(dir);
    await images.resolve(A);
    writeFileSync(dir.file(A, "verified.json"), "{");
    flipByte(dir.file(A, "vmlinuz"));
    expect(await codeOf(() => images.resolve(A))).toBe("image_invalid");
  });

  test("fifty at once give one verdict", async () => {
    using dir = new ImageDir();
    dir.addImage(A);
    const images = imagesOf(dir);
    const found = await Promise.all(Array.from({ length: 50 }, () => images.resolve(A)));
    expect(new Set(found.map(({ kernel }) => kernel))).toEqual(new Set([dir.file(A, "vmlinuz")]));
    flipByte(dir.file(A, "initramfs"));
    const codes = await Promise.all(Array.from({ length: 50 }, () => codeOf(() => images.resolve(A))));
    expect(new Set(codes)).toEqual(new Set(["image_invalid"]));
  });
});

describe("kernel and initramfs from elsewhere", () => {
  test("stand in for the image's own, which may then be damaged", async () => {
    using dir = new ImageDir();
    dir.addImage(A);
    writeFileSync(dir.file("kernel"), KERNEL);
    writeFileSync(dir.file("initrd"), "something");
    truncateSync(dir.file(A, "vmlinuz"), 0);
    const image = await imagesOf(dir, { kernel: dir.file("kernel"), initramfs: dir.file("initrd") }).resolve(A);
    expect(image).toMatchObject({
      kernel: dir.file("kernel"),
      initramfs: dir.file("initrd"),
      rootfs: dir.file(A, "rootfs.erofs"),
    });
  });

  test.each([
    ["a text file", "hello"],
    ["an empty file", ""],
    ["no file", null],
  ])("a kernel that is %s is refused", async (_, content) => {
    using dir = new ImageDir();
    dir.addImage(A);
    if (content !== null) writeFileSync(dir.file("kernel"), content);
    await expect(imagesOf(dir, { kernel: dir.file("kernel") }).resolve(A)).rejects.toThrow(/^OVERHYPED_KERNEL: /);
  });

  test("an empty initramfs is refused", async () => {
    using dir = new ImageDir();
    dir.addImage(A);
    writeFileSync(dir.file("initrd"), "");
    await expect(imagesOf(dir, { initramfs: dir.file("initrd") }).resolve(A)).rejects.toThrow(/^OVERHYPED_INITRAMFS: /);
  });
});

describe("removing images", () => {
  test("not while a VM uses it: the VMs are named and nothing is touched", async () => {
    using dir = new ImageDir();
    dir.addImage(A);
    const images = imagesOf(dir);
    const attempt = () => images.remove(A, new Map([[A, ["demo", "other"]]]));
    expect(await codeOf(attempt)).toBe("image_in_use");
    expect(attempt).toThrow(/demo, other/);
    expect((await images.verify(A)).ok).toBe(true);
  });

  test("leaves nothing, and the newest of the others becomes the default", () => {
    using dir = new ImageDir();
    dir.addImage(A, { createdAt: "2026-03-01T00:00:00.000Z" });
    dir.addImage(B, { createdAt: "2026-02-01T00:00:00.000Z" });
    const images = imagesOf(dir);
    images.setDefault(A);
    expect(images.remove("aaaa", NOBODY)).toBe(A);
    expect(readdirSync(dir.path).sort()).toEqual([B, "default"]);
    expect(images.list().map(({ id, is_default }) => [id, is_default])).toEqual([[B, true]]);
    images.remove(B, NOBODY);
    expect(existsSync(dir.file("default"))).toBe(false);
  });

  test("another image's removal leaves the default alone", () => {
    using dir = new ImageDir();
    dir.addImage(A);
    dir.addImage(B);
    const images = imagesOf(dir);
    images.setDefault(A);
    images.remove(B, NOBODY);
    expect(images.get("default").id).toBe(A);
  });
});

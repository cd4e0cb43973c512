import { closeSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileError } from "../host/files.ts";
import { cpio, type CpioEntry } from "./cpio.ts";
import { parseWanted } from "./modules.ts";
import { RECIPE, SOURCE_DATE_EPOCH } from "./recipe.ts";
import type { RootTree } from "./root-tree.ts";

/**
 * An initramfs is archives one after the other, each compressed or not (early-userspace/buffer-format.rst). What is compressed
 * already is stored as it is, since unpacking twice costs boot time and memory; the rest shrinks to a third.
 */
export type InitramfsParts = { stored: CpioEntry[]; compressed: CpioEntry[] };

/** Files of an initramfs, as images/init.sh expects them. */
export function initramfsParts(tree: RootTree, agentDisk: string, rootfs: string | null): InitramfsParts {
  const modules = `lib/modules/${tree.facts.kernel_version}`;
  const wanted = parseWanted(RECIPE["modules.txt"]).filter(({ use }) => use === "always");
  return {
    stored: [
      file("agent.squashfs", readFileSync(agentDisk)),
      ...(rootfs ? [file("rootfs.erofs", readFileSync(rootfs))] : []),
    ],
    compressed: [
      ...["bin", "dev", "etc", "lib", "lib/modules", modules, "proc", "sys"].map(directory),
      file("init", Buffer.from(RECIPE["init.sh"]), 0o755),
      file("bin/busybox", readFileSync(tree.busybox), 0o755),
      file("etc/modules", Buffer.from(wanted.map(({ name }) => `${name}\n`).join(""))),
      ...readdirSync(tree.modules).map((name) => file(`${modules}/${name}`, readFileSync(join(tree.modules, name)))),
    ],
  };
}

/** Writes an initramfs to a file that must not exist. @throws HypeError disk_full | state_unwritable | image_build_failed */
export function writeInitramfs(path: string, { stored, compressed }: InitramfsParts): void {
  const output = openSync(path, "wx", 0o644);
  try {
    const write = (piece: Uint8Array) => {
      for (let offset = 0; offset < piece.length;) offset += writeSync(output, piece, offset);
    };
    for (const piece of cpio(stored, SOURCE_DATE_EPOCH)) write(piece);
    write(Bun.zstdCompressSync(Buffer.concat([...cpio(compressed, SOURCE_DATE_EPOCH)]), { level: 22 }));
  } catch (thrown) {
    throw fileError(thrown, path);
  } finally {
    closeSync(output);
  }
}

const directory = (path: string): CpioEntry => ({ kind: "directory", path, mode: 0o755 });
const file = (path: string, data: Uint8Array, mode = 0o644): CpioEntry => ({ kind: "file", path, data, mode });

import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { HypeError, ImageManifest, messageOf } from "../contract/index.ts";
import { writeAtomic } from "../host/files.ts";

/** Names inside an image's directory. */
export const IMAGE_FILES = {
  kernel: "vmlinuz",
  initramfs: "initramfs",
  rootfs: "rootfs.erofs",
  manifest: "manifest.json",
  verified: "verified.json",
} as const;

const DEFAULT_FILE = "default";

/** Id of the image that VMs get when they name none; null when there is none. */
export function readDefault(imageDir: string): string | null {
  const file = join(imageDir, DEFAULT_FILE);
  const id = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  return id !== "" && existsSync(join(imageDir, id, IMAGE_FILES.manifest)) ? id : null;
}

/** @throws HypeError state_unwritable | disk_full */
export function writeDefault(imageDir: string, id: string | null): void {
  if (id === null) rmSync(join(imageDir, DEFAULT_FILE), { force: true });
  else writeAtomic(join(imageDir, DEFAULT_FILE), `${id}\n`, 0o644);
}

/** @throws HypeError image_invalid when it cannot be read as one. */
export function readManifest(directory: string): ImageManifest {
  const path = join(directory, IMAGE_FILES.manifest);
  try {
    return v.parse(ImageManifest, JSON.parse(readFileSync(path, "utf8")));
  } catch (thrown) {
    throw new HypeError("image_invalid", `${path} is no manifest: ${messageOf(thrown)}`, { path }, { cause: thrown });
  }
}

import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ImageFormat, ImageManifest } from "../../src/contract/index.ts";

/** A small file that passes for a kernel. */
export const KERNEL = Buffer.concat([Buffer.alloc(0x202), Buffer.from("HdrS"), Buffer.alloc(100)]);

/** An image directory of its own, for images that are a few bytes long. */
export class ImageDir implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "hype-images-"));

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }

  file(...names: string[]): string {
    return join(this.path, ...names);
  }

  addImage(id: string, options: { format?: ImageFormat; createdAt?: string } = {}): ImageManifest {
    const { format = "layered", createdAt = "2026-01-01T00:00:00.000Z" } = options;
    const contents = {
      initramfs: Buffer.from(`initramfs of ${id}`),
      ...(format === "layered" ? { "rootfs.erofs": Buffer.from(`root of ${id}`) } : {}),
      vmlinuz: KERNEL,
    };
    mkdirSync(this.file(id));
    const files = Object.entries(contents).map(([name, data]) => {
      writeFileSync(this.file(id, name), data);
      return { name, bytes: data.length, sha256: createHash("sha256").update(data).digest("hex") };
    });
    const manifest: ImageManifest = {
      schema: 1,
      id,
      format,
      source: "mmdebstrap",
      architecture: "amd64",
      created_at: createdAt,
      kernel_version: "6.1.0",
      chromium_version: "156.0",
      agent_version: "0.1.0",
      packages: { base: "1" },
      files,
    };
    writeFileSync(this.file(id, "manifest.json"), JSON.stringify(manifest));
    return manifest;
  }
}

/** The code of what a call throws or rejects with; `none` when it does neither. */
export async function codeOf(action: () => unknown): Promise<string> {
  try {
    await action();
    return "none";
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? String(thrown);
  }
}

import type { ImageFormat, ImageManifest } from "../contract/index.ts";

/** An image whose files were checked against its manifest and may be booted. Paths are absolute. */
export type BootableImage = {
  id: string;
  format: ImageFormat;
  kernel: string;
  initramfs: string;
  /** null in the bundle format: everything is in the initramfs. */
  rootfs: string | null;
  manifest: ImageManifest;
};

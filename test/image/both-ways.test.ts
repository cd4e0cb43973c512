import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { buildImage } from "../../src/image/build.ts";
import { differences } from "../lib/differences.ts";
import { silentLog } from "../../src/log/log.ts";
import { ImageDir } from "./made-up-image.ts";

/**
 * The real thing, minutes long and over the network: run with OVERHYPED_TEST_BOTH_WAYS=1. Without root and a kernel for it, buildah needs
 * STORAGE_DRIVER=vfs and BUILDAH_ISOLATION=chroot.
 */
const wanted = process.env.OVERHYPED_TEST_BOTH_WAYS === "1" && Bun.which("buildah") !== null;

test.skipIf(!wanted)(
  "mmdebstrap and buildah make the same files, and the same bytes of them",
  async () => {
    using dir = new ImageDir();
    const build = (source: "mmdebstrap" | "buildah") =>
      buildImage({
        config: { imageDir: dir.path, aptMirrors: [] },
        log: silentLog,
        format: "layered",
        agentBinary: import.meta.path,
        source,
      });
    const first = await build("mmdebstrap");
    const second = await build("buildah");
    const root = (id: string) => dir.file(id, "rootfs.erofs");
    expect(await differences(root(first.id), root(second.id), dir.file(".differences"))).toEqual([]);
    expect(second.packages).toEqual(first.packages);
    expect(second.files).toEqual(first.files);
    expect(readFileSync(root(second.id)).equals(readFileSync(root(first.id)))).toBe(true);
  },
  1_800_000,
);

import { HypeError } from "../../contract/errors.ts";
import type { Check } from "./check.ts";

export const image: Check = {
  id: "image",
  async run({ config, defaultImage }) {
    const why = "Every VM boots from an image: kernel, initramfs and root file system with Chromium";
    try {
      const found = await defaultImage();
      if (found) return { status: "ok", seen: `${found.id}: ${found.summary}, every file as built`, why, remedy: null };
      return {
        status: "fail",
        seen: `no image in ${config.imageDir}`,
        why,
        remedy: "`hype image build` makes one; `hype try` does so by itself",
      };
    } catch (thrown) {
      const { code, path = config.imageDir } = thrown as { code?: string; path?: string };
      if (code === "EACCES")
        return {
          status: "fail",
          seen: `${path} cannot be read by uid ${process.getuid?.()}`,
          why,
          remedy: "Run as its owner, or set OVERHYPED_IMAGE_DIR",
        };
      if (!(thrown instanceof HypeError)) throw thrown;
      return { status: "fail", seen: thrown.message, why, remedy: "`hype image build --force` makes it anew" };
    }
  },
};

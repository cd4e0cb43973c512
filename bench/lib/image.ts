import type { BootableImage } from "../../src/image/types.ts";
import { Images } from "../../src/image/images.ts";
import { silentLog } from "../../src/log/log.ts";
import { TEST_IMAGE_DIR } from "../../test/lib/hype.ts";

/** The image that VMs boot when none is named. @throws HypeError image_not_found: `hype image build` first */
export const defaultImage = (): Promise<BootableImage> =>
  new Images({ imageDir: TEST_IMAGE_DIR, kernel: null, initramfs: null }, silentLog).resolve(null);

/** Draws the screens and the table of keys in docs/tui.md anew. A test compares. */
import { join } from "node:path";

process.env.TZ = "Etc/UTC"; // as in tests: the header shows the time
const { withScreens } = await import("../test/tui/docs-screens.ts");
const page = Bun.file(join(import.meta.dir, "../docs/tui.md"));
await page.write(await withScreens(await page.text()));
process.exit(0);

import { expect, test } from "bun:test";
import { join } from "node:path";
import { withScreens } from "./docs-screens.ts";

test("the screens and the keys of docs/tui.md are the program's; `bun scripts/generate-tui-docs.ts` draws them anew", async () => {
  const page = await Bun.file(join(import.meta.dir, "../../docs/tui.md")).text();
  expect(page.match(/<!-- screen /g)?.length).toBeGreaterThanOrEqual(4);
  expect(await withScreens(page)).toBe(page);
}, 60_000);

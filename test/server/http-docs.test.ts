import { expect, test } from "bun:test";
import { join } from "node:path";
import { renderHttpDocs } from "../../scripts/generate-http-docs.ts";

test("docs/http-api.md says what the routes say; else run `bun scripts/generate-http-docs.ts`", async () => {
  expect(await Bun.file(join(import.meta.dir, "../../docs/http-api.md")).text()).toBe(await renderHttpDocs());
});

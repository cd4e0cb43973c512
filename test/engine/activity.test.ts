import { expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { Navigate, OpenTab } from "../../src/contract/index.ts";
import { pageShown } from "../../src/engine/activity.ts";
import { request, until, World } from "./world.ts";

setDefaultTimeout(60_000); // a real Chromium starts here

test("what a VM does and shows: told by its agent, sampled from its process, gone with it", async () => {
  await using world = new World();
  world.driver.guest = "agent";
  const { id } = await world.engine.create(request("demo"));
  const seen = () => world.engine.activity().items.find((item) => item.id === id);
  expect(seen()).toMatchObject({ name: "demo", cpu_percent: null, memory_mb: expect.any(Number) });
  await until(() => seen()?.page?.url === "about:blank");

  const page = "data:text/html,<title>Basket (2)</title>hello";
  await world.engine.guest("demo").navigate(v.parse(Navigate, { url: page }));
  await until(() => seen()?.page?.title === "Basket (2)");
  expect(seen()?.page).toEqual({ url: page, title: "Basket (2)", tabs: 1 });

  const late = "data:text/html,<title>Soon</title><script>setTimeout(() => (document.title = 'Late'), 600)</script>";
  await world.engine.guest("demo").navigate(v.parse(Navigate, { url: late }));
  await until(() => seen()?.page?.title === "Late"); // Chromium does not tell of a title alone
  await world.engine.guest("demo").openTab(v.parse(OpenTab, { url: "data:text/html,<title>Second</title>" }));
  await until(() => seen()?.page?.title === "Second");
  expect(seen()?.page?.tabs).toBe(2);

  await until(() => seen()?.cpu_percent !== null);
  expect(seen()?.cpu_percent).toBeGreaterThanOrEqual(0);
  await world.engine.stop("demo", { force: true });
  expect(world.engine.activity().items).toEqual([]);
});

test("what a guest says of its page is made harmless", () => {
  const shown = pageShown({ url: `x:\u001b[2J${"u".repeat(9_000)}`, title: "a\nb\u202Ec\u2028d", tabs: -3 });
  expect(shown.url).toHaveLength(2_048);
  expect(shown.url.startsWith("x: [2Ju")).toBe(true);
  expect(shown).toMatchObject({ title: "a b c d", tabs: 0 });
  expect(pageShown({ url: "", title: "", tabs: Number.NaN }).tabs).toBe(0);
});

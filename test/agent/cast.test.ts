import { expect, test } from "bun:test";
import { Cast, type Picture } from "../../agent/live/cast.ts";
import type { Screen } from "../../agent/live/screen.ts";

/** A tab whose Chromium shows what the test says. */
function world() {
  let listener: (event: object) => void = () => {};
  let session = 0;
  const shown: string[] = [];
  const told: string[] = [];
  const waiting: [number, () => void][] = [];
  const it = {
    /** What the page looks like; null: Chromium sends nothing for a cast that begins. */
    page: "one" as string | null,
    shown,
    told,
    draw(data: string) {
      listener({ data, metadata: { deviceWidth: 1, deviceHeight: 1 }, sessionId: session });
    },
    /** Resolves once a screencast was begun so many times. */
    begun: (times: number) => new Promise<void>((done) => waiting.push([times, done])),
  };
  const screen = {
    on: (_event: string, given: typeof listener) => ((listener = given), () => (listener = () => {})),
    async tell(method: string) {
      told.push(method);
      if (method !== "Page.startScreencast") return;
      session += 1;
      const times = told.filter((one) => one === method).length;
      await Promise.resolve();
      if (it.page !== null) it.draw(it.page);
      for (const [wanted, done] of waiting) if (wanted <= times) done();
    },
  };
  const cast = new Cast(screen as unknown as Screen);
  let isReady = true;
  const viewer = {
    wanted: { maxWidth: 1, maxHeight: 1, quality: 1 },
    isReady: () => isReady,
    show: ({ jpeg }: Picture) => void shown.push(jpeg.toString("base64")),
  };
  return Object.assign(it, { cast, join: () => cast.join(viewer), setReady: (now: boolean) => (isReady = now) });
}
const [ONE, TWO] = [Buffer.from("one picture").toString("base64"), Buffer.from("another").toString("base64")];

test("a screencast that stopped without a word is begun anew, and what changed meanwhile is shown", async () => {
  const it = world();
  it.page = ONE;
  const leave = it.join();
  await it.begun(1);
  it.page = TWO; // no picture comes of it
  await it.begun(2);
  expect(it.shown).toEqual([ONE, TWO]);
  leave();
  it.cast.end();
});

test("after something was done to the page it is asked sooner", async () => {
  const it = world();
  it.page = ONE;
  it.join();
  await it.begun(1);
  it.page = TWO;
  const started = performance.now();
  it.cast.expect();
  await it.begun(2);
  expect(performance.now() - started).toBeLessThan(900);
  expect(it.shown).toEqual([ONE, TWO]);
  it.cast.end();
});

test("a page that stands still is asked ever more rarely, and shown once", async () => {
  const it = world();
  it.page = ONE;
  it.join();
  const at: number[] = [];
  for (let times = 1; times <= 3; times++) {
    await it.begun(times);
    at.push(performance.now());
  }
  expect(at[2]! - at[1]!).toBeGreaterThan(1.5 * (at[1]! - at[0]!));
  expect(it.shown).toEqual([ONE]);
  it.cast.end();
}, 10_000);

test("while nobody takes pictures none is asked for; with the last viewer it ends", async () => {
  const it = world();
  it.page = ONE;
  const leave = it.join();
  await it.begun(1);
  it.setReady(false);
  await Bun.sleep(1_300);
  expect(it.told.filter((one) => one === "Page.startScreencast")).toHaveLength(1);
  leave();
  expect(it.told.at(-1)).toBe("Page.stopScreencast");
  await Bun.sleep(1_300);
  expect(it.told.at(-1)).toBe("Page.stopScreencast");
  it.cast.end();
}, 10_000);

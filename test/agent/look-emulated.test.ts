import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { Emulate, ResetEmulation } from "../../src/contract/index.ts";
import { type Browsing, refused, startBrowsing } from "../lib/browsing.ts";

/** A picture of another scale, of an area or of the whole page leaves the tab as it was made to be. */
setDefaultTimeout(30_000);
const SEEN = "[devicePixelRatio, innerWidth, innerHeight, screen.width, navigator.maxTouchPoints]";
const PAGE = `<meta name="viewport" content="width=device-width"><body style="margin: 0"><div id="d" style="width: 60px; height: 40px">d</div>
  <div style="height: 900px"></div>`;
const TABS: [string, object, unknown[]][] = [
  ["device scale alone", { device_scale_factor: 3 }, [3]],
  [
    "all that makes a phone",
    { viewport: { width: 400, height: 600 }, device_scale_factor: 3, mobile: true, touch: true },
    [3, 400, 600, 400, 5],
  ],
];
let b: Browsing;
beforeAll(async () => void (b = await startBrowsing({ "/emulated": PAGE })), 60_000);
afterAll(() => b[Symbol.asyncDispose]());

const shot = (body: object) => b.shot({ timeout_ms: 10_000, ...body });
const sizeOf = (bytes: Uint8Array) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return [view.getUint32(16), view.getUint32(20)];
};

test.each(TABS)("%s", async (_name, settings, expected) => {
  await b.open("/emulated");
  await b.guest.overlay.emulate(v.parse(Emulate, settings));
  const before = (await b.value(SEEN)) as number[];
  expect(before.slice(0, expected.length)).toEqual(expected as number[]);
  for (const [body, size] of [
    [{ selector: "#d", scale: 1 }, [60, 40]],
    [{ selector: "#d" }, [180, 120]],
    [{ scale: 2, clip: { x: 0, y: 0, width: 50, height: 30 } }, [100, 60]],
  ] as const) {
    expect([body, sizeOf(await shot(body))]).toEqual([body, [...size]]);
    expect(await b.value(SEEN)).toEqual(before);
  }
  await shot({ full_page: true });
  expect(await b.value(SEEN)).toEqual(before);
  await refused("result_too_large", shot({ clip: { x: 0, y: 0, width: 10_000, height: 10 }, scale: 2 }));
  await refused("operation_timeout", shot({ full_page: true, scale: 1, timeout_ms: 1 }));
  await b.wait({ function: `JSON.stringify(${SEEN}) === '${JSON.stringify(before)}'` });
  await b.guest.overlay.resetEmulation(v.parse(ResetEmulation, {}));
});

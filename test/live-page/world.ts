import { expect } from "bun:test";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { type Client, connect } from "../../src/client/client.ts";
import type { CreateLiveLinkInput } from "../../src/contract/index.ts";
import { type Browsing, startBrowsing } from "../lib/browsing.ts";
import { chromiumProgram } from "../lib/chromium.ts";
import { KEY, startTestServer, type TestServer } from "../server/harness.ts";

/** A person's browser, the real server, the real agent with the Chromium that is watched. */
export type LiveWorld = AsyncDisposable & {
  server: TestServer;
  browsing: Browsing;
  client: Client;
  person: Browser;
  /** A link's page in a window of its own, live. */
  watch(link?: CreateLiveLinkInput, window?: BrowserContextOptions): Promise<Page>;
};

export async function startLiveWorld(pages: Record<string, string> = {}, flags: string[] = []): Promise<LiveWorld> {
  await using undo = new AsyncDisposableStack();
  const browsing = undo.use(await startBrowsing(pages, flags));
  const server = undo.use(startTestServer());
  server.engine.add("demo");
  server.engine.guests.set("demo", browsing.guest);
  const client = connect({ base: server.url, key: KEY });
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const person = await chromium.launch({ executablePath: chromiumProgram(), args: sandbox });
  undo.defer(() => person.close());
  const kept = undo.move();
  return {
    server,
    browsing,
    client,
    person,
    async watch(link = {}, window = {}) {
      const { url } = await client.live.createLink("demo", link);
      const context = await person.newContext({ viewport: { width: 1280, height: 860 }, ...window });
      const page = await context.newPage();
      await page.goto(url);
      await page.locator('body[data-state="live"]').waitFor();
      return page;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** A point of the watched page as the picture shows it: `#rrggbb`, rounded, since a JPEG is never exact. */
export const pixel = (page: Page, x: number, y: number): Promise<string> =>
  page.evaluate(
    ([atX, atY]) => {
      const canvas = document.querySelector("canvas") as HTMLCanvasElement;
      const context = canvas.getContext("2d") as CanvasRenderingContext2D;
      const { data } = context.getImageData(atX, atY, 1, 1);
      return `#${[...data.slice(0, 3)]
        .map((part) =>
          Math.min(255, Math.round(part / 16) * 16)
            .toString(16)
            .padStart(2, "0"),
        )
        .join("")}`;
    },
    [x, y] as const,
  );

export const takeControl = async (page: Page): Promise<void> => {
  await page.getByRole("button", { name: "Take control" }).click();
  await page.locator("body.mine").waitFor();
};

/** The window's point that shows a point of the watched page. */
export const at = async (page: Page, x: number, y: number): Promise<[number, number]> => {
  await page.waitForFunction(() => document.querySelector("canvas")?.style.width !== "");
  return page.evaluate(
    ([pageX, pageY]) => {
      const canvas = document.querySelector("canvas") as HTMLCanvasElement;
      const box = canvas.getBoundingClientRect();
      const scale = box.width / 1280;
      return [box.left + pageX * scale, box.top + pageY * scale] as [number, number];
    },
    [x, y] as const,
  );
};

/** Asks until the answer is the wanted one. */
export const settles = async (value: () => Promise<unknown>, wanted: unknown): Promise<void> => {
  let seen: unknown;
  for (const end = performance.now() + 15_000; performance.now() < end;) if ((seen = await value()) === wanted) return;
  expect(seen).toBe(wanted);
};

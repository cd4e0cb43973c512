import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import type { Guest } from "../../src/guest/guest.ts";
import type { TestServer } from "../server/harness.ts";
import { TuiWorld } from "./world.ts";

/** Four by four red pixels as PNG. */
const PIXEL = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAAEElEQVR4nGP4z8AARwzEcQCukw/x0F8jngAAAABJRU5ErkJggg==",
  "base64",
);
const TABS = [
  {
    id: "T1",
    url: "https://shop.example/basket",
    title: "Basket (2)",
    active: true,
    isolated: false,
    context: null,
    opener: null,
  },
  {
    id: "T2",
    url: "https://mail.example/",
    title: "Ïnbox\u001b[2J 受信箱",
    active: false,
    isolated: true,
    context: "C",
    opener: null,
  },
];

const oneVm = (server: TestServer): void => prepare(server, async () => new Uint8Array(PIXEL));
/** The picture comes when it comes; frames that are compared do without. */
const withoutPicture = (server: TestServer): void => prepare(server, () => new Promise(() => {}));

function prepare(server: TestServer, picture: () => Promise<Uint8Array>): void {
  const vm = server.engine.add("web-1");
  server.engine.pages.set("web-1", { url: "https://shop.example/basket", title: "Basket (2)", tabs: 2 });
  server.engine.guests.set("web-1", {
    tabs: async () => ({ items: TABS }),
    logs: async () => "agent: hello\n",
    screenshot: async () => ({ bytes: await picture(), contentType: "image/png" }),
    observe: { list: async () => ({ items: [], dropped: 0, after: 0 }) },
  } as unknown as Guest);
  mkdirSync(`${server.engine.logDir}/${vm.name}`, { recursive: true });
  const log = Array.from(
    { length: 100 },
    (_, at) => `[${at}] line ${at}${at === 50 ? " needle \u001b[31mred\u0007" : ""}\n`,
  );
  writeFileSync(`${server.engine.logDir}/${vm.name}/console.log`, log.join(""));
  writeFileSync(`${server.engine.logDir}/${vm.name}/vmm.log`, "qemu: hello\n");
}

const READY = [
  "% of 1",
  "Inbox|Ïnbox",
  "line 99",
  "agent: hello",
  "3 packets, 180 B[^]*no requests",
  "VM_CREATED",
  "nothing is kept|cannot|no such",
  "018bcfe5",
];

for (const [width, height] of [
  [60, 15],
  [120, 40],
] as const)
  test(`every pane at ${width}x${height}`, async () => {
    await using tui = await TuiWorld.open({ width, height, prepare: withoutPicture });
    await tui.until("web-1");
    await tui.press("RETURN");
    for (const [at, ready] of READY.entries()) {
      await tui.press(String(at + 1) as "1");
      expect(await tui.until(new RegExp(ready))).toMatchSnapshot(`pane ${at + 1}`);
    }
  });

test("the console: at its end, scrolled, searched; what the guest wrote does nothing to the terminal", async () => {
  await using tui = await TuiWorld.open({ height: 24, prepare: oneVm });
  await tui.until("web-1");
  await tui.press("RETURN", "3");
  await tui.until("line 99");
  await tui.press("g");
  await tui.until((frame) => frame.includes("[0] line 0") && frame.includes("line 1 of 100"));
  await tui.press("/", ..."needle");
  const found = await tui.until("needle ␛[31mred␇");
  expect(found).not.toContain("\u001b");
  await tui.press("RETURN");
  await tui.until("/needle: 1");
  await tui.press("f");
  await tui.until("at the end of 100");
});

test("logs are the agent's, or the VMM's", async () => {
  await using tui = await TuiWorld.open({ prepare: oneVm });
  await tui.until("web-1");
  await tui.press("RETURN", "4");
  await tui.until("agent: hello");
  await tui.press("o");
  await tui.until((frame) => frame.includes("vmm's log") && frame.includes("qemu: hello"));
});

test("the page's picture is shown while it can be seen, and as large as the screen", async () => {
  await using tui = await TuiWorld.open({ prepare: oneVm });
  await tui.until("web-1");
  await tui.press("RETURN");
  await tui.until("page");
  const isRed = () =>
    tui.screen
      .captureSpans()
      .lines.some((line) => line.spans.some(({ fg, bg }) => isColour(fg.toInts()) || isColour(bg.toInts())));
  await tui.until(isRed);
  await tui.press("?");
  await tui.until((frame) => frame.includes("Keys: this VM") && !isRed());
  await tui.press("ESCAPE");
  await tui.until(isRed);
  await tui.press("z");
  await tui.until((frame) => !frame.includes("1 overview") && isRed());
  await tui.press("q");
  await tui.until("1 overview");
  await tui.press("q");
  await tui.until((frame) => frame.includes("STATUS") && !isRed());
});
const isColour = ([r = 0, g = 0, b = 0]: number[]) => r > 200 && g < 40 && b < 40;

test("a VM that vanishes while it is looked at: the fleet is shown", async () => {
  await using tui = await TuiWorld.open({ prepare: oneVm });
  await tui.until("web-1");
  await tui.press("RETURN", "2");
  await tui.until("COOKIES");
  await tui.server.engine.delete("web-1");
  await tui.until("No VMs");
});

test("no picture is asked for where there is no room for one, nor beneath what covers it", async () => {
  const asked = { tabs: 0, pictures: 0 };
  const twice = async (tui: TuiWorld) => {
    const before = asked.tabs;
    await tui.until(() => asked.tabs >= before + 2); // the lists are asked for as often as pictures are
  };
  await using tui = await TuiWorld.open({
    width: 60,
    height: 15,
    prepare: (server) => {
      prepare(server, async () => {
        asked.pictures += 1;
        return new Uint8Array(PIXEL);
      });
      const guest = server.engine.guests.get("web-1") as unknown as { tabs(): Promise<object> };
      const { tabs } = guest;
      guest.tabs = () => {
        asked.tabs += 1;
        return tabs();
      };
    },
  });
  await tui.until("web-1");
  await tui.press("RETURN");
  await twice(tui);
  expect(asked.pictures).toBe(0);
  tui.screen.resize(120, 40);
  await tui.until(() => asked.pictures > 0);
  await tui.press("?");
  await tui.until("Keys: this VM");
  const before = asked.pictures;
  await twice(tui);
  expect(asked.pictures - before).toBeLessThanOrEqual(1); // one was on its way
}, 60_000);

import { expect, test } from "bun:test";
import type { Guest } from "../../src/guest/guest.ts";
import { remembered, splitLine } from "../../src/tui/commands/commands.ts";
import { type TuiOptions, TuiWorld } from "./world.ts";

const demo: NonNullable<TuiOptions["prepare"]> = ({ engine }) => {
  engine.add("demo");
  engine.guests.set("demo", {
    navigate: async ({ url }: { url: string }) => ({
      tab: "T",
      url,
      status: 200,
      title: "Opened",
      redirects: [],
      timings: null, // prettier-ignore
    }),
    screenshot: async () => ({ bytes: new Uint8Array([1, 2, 3]), contentType: "image/png" }),
  } as unknown as Guest);
};

test("creating: faults keep the form, a refusal brings it back with everything typed", async () => {
  await using tui = await TuiWorld.open({ prepare: demo });
  await tui.until("demo");
  await tui.press("c", "RETURN");
  await tui.until("must not be empty");
  await tui.press(..."demo", "TAB", "TAB", "BACKSPACE", "BACKSPACE", "BACKSPACE", "BACKSPACE", ..."2G", "RETURN");
  await tui.until("the name demo is taken");
  expect(await tui.until("Create a VM")).toContain("2G");
  for (let at = 0; at < 7; at++) await tui.press("TAB");
  await tui.press(..."-2", "RETURN");
  await tui.until("demo-2 is running");
  await tui.press("RETURN");
  await tui.until((frame) => frame.includes("1 overview") && frame.includes(" demo-2 "));
  expect(tui.server.engine.rows.get("demo-2")).toMatchObject({ cpu_cores: 1, memory_mb: 2048 });
});

test("opening a page, a screenshot, copying", async () => {
  await using tui = await TuiWorld.open({ prepare: demo });
  await tui.until("demo");
  await tui.press("v", ..."shop.example", "RETURN");
  await tui.until("demo shows Opened");
  await tui.press("t");
  await tui.until("/pictures/demo.png");
  expect(tui.seen.saved.get("demo")).toEqual(new Uint8Array([1, 2, 3]));
  await tui.press("y");
  await tui.until("Copy of demo");
  await tui.press("c");
  await tui.until("copied:");
  expect(tui.seen.copied).toEqual(["http://127.0.0.1:7777/api/v1/vms/demo/cdp"]);
  await tui.press("y");
  await tui.until("Copy of demo");
  await tui.press("t");
  expect(await tui.until("CDP URL with its token; good until")).not.toContain(tui.seen.copied.at(-1));
  expect(tui.seen.copied.at(-1)).toMatch(/^ws:.*token=/);
});

test("a failure says why and stays until it is dismissed; undo takes back what can be", async () => {
  await using tui = await TuiWorld.open({ prepare: ({ engine }) => void engine.add("demo") });
  await tui.until("demo");
  await tui.press("t");
  await tui.until("nobody there");
  await tui.press("x");
  await tui.until((frame) => !frame.includes("nobody there"));
  await tui.press("u");
  await tui.until("nothing to undo");
  await tui.press("p");
  await tui.until("demo paused");
  await tui.press("u");
  await tui.until("only a paused VM can be resumed"); // the fake engine does not pause
  expect(tui.server.engine.calls.filter((call) => /pause|resume/.test(call)).map((call) => call.split(" ")[0])).toEqual(
    ["pause", "resume"],
  );
});

test("the palette: completes, runs a command of hype, keeps what was run, and says what is nonsense", async () => {
  await using tui = await TuiWorld.open({ prepare: demo });
  await tui.until("demo");
  await tui.press(":", ..."vms li");
  await tui.until("List VMs");
  await tui.press("TAB", "RETURN");
  const out = await tui.until("done; enter closes");
  expect(out).toContain("hype vms list");
  expect(out).toMatch(/demo +running/);
  await tui.press("RETURN", ":", ..."vms lst", "RETURN");
  await tui.until("exit code 2");
  expect(await tui.until("vms")).toContain("there is no command");
  await tui.press("RETURN", ":", "ARROW_UP", "ARROW_UP");
  await tui.until("vms list");
  expect(tui.store.state.history).toEqual(["vms list", "vms lst"]);
  await tui.press("ESCAPE");
  await tui.until("q quit");
});

test("a command that goes on is ended by ctrl-c, the interface is not", async () => {
  await using tui = await TuiWorld.open({ prepare: demo });
  await tui.until("demo");
  await tui.press(":", ..."vms watch", "RETURN");
  await tui.until("ctrl-c ends it");
  tui.screen.mockInput.pressCtrlC();
  await tui.until(/exit code|done; enter/);
  expect(tui.seen.quits).toBe(0);
  await tui.press("RETURN");
  tui.screen.mockInput.pressCtrlC();
  await tui.until(() => tui.seen.quits === 1);
});

test("a paste of 100 KB into a field is cut, and nothing freezes", async () => {
  await using tui = await TuiWorld.open({ prepare: demo });
  await tui.until("demo");
  await tui.press("/");
  await tui.screen.mockInput.pasteBracketedText("界\u001b[31m".repeat(20_000));
  await tui.until("0 of 1");
  expect(tui.store.state.fleet.filter.length).toBeLessThanOrEqual(8_192);
  await tui.press("ESCAPE");
  await tui.until("q quit");
});

test("help tells every key of the view, and finds", async () => {
  await using tui = await TuiWorld.open({ prepare: demo });
  await tui.until("demo");
  await tui.press("?", ..."screenshot");
  const help = await tui.until("Save a screenshot");
  expect(help).not.toContain("Next line");
  await tui.press("ESCAPE");
  await tui.until("q quit");
});

test("a click chooses, a second one opens; a pane's name opens the pane", async () => {
  await using tui = await TuiWorld.open({
    prepare: ({ engine }) => {
      engine.add("a-1", { status: "stopped" });
      engine.add("b-2", { status: "stopped" });
    },
  });
  await tui.until("b-2");
  await tui.screen.mockMouse.click(5, 3);
  await tui.until("❯ b-2");
  await tui.screen.mockMouse.click(5, 3);
  await tui.until("1 overview");
  await tui.screen.mockMouse.click(70, 2);
  await tui.until(() => tui.store.state.screen.name === "vm" && tui.store.state.screen.pane !== "overview");
});

test.each([
  ["vms create a", ["vms", "create", "a"]],
  [`eval demo "a 'b' \\" c"`, ["eval", "demo", `a 'b' " c`]],
  ["x  'single \\n' ''", ["x", "single \\n", ""]],
  ["open\\ ed", ["open ed"]],
  ['"never ended', ["never ended"]],
  ["", []],
])("splitting %j", (line, words) => expect(splitLine(line)).toEqual(words));

test("the history holds no keys and no doubles", () => {
  expect(remembered(["a"], "a")).toEqual(["a"]);
  expect(remembered(["a"], "vms list --key secret")).toEqual(["a"]);
  expect(remembered(["a"], `keys show hype_${"k".repeat(43)}`)).toEqual(["a"]);
  for (const line of [
    "emulate demo --http-credentials anna:secret",
    "proxy set demo http://anna:secret@proxy:8080",
    "vms create x --proxy socks5://anna:secret@proxy:1080",
    "proxy set demo anna:secret@proxy:8080",
    'emulate demo --header "Authorization: Bearer secret"',
    "open demo https://shop.example/?token=secret",
  ])
    expect(remembered(["a"], line)).toEqual(["a"]);
  expect(remembered(["a"], "open demo https://shop.example/@anna")).toHaveLength(2);
  expect(
    remembered(
      Array.from({ length: 300 }, (_, at) => String(at)),
      "new",
    ),
  ).toHaveLength(200);
});

test("a command over a selection: once for each marked VM; stopping several asks", async () => {
  await using tui = await TuiWorld.open({
    prepare: ({ engine }) => {
      engine.add("a-1");
      engine.add("b-2");
    },
  });
  await tui.until("b-2");
  await tui.press("a", ":", ..."vms get {} --json", "RETURN");
  const frame = await tui.until("done; enter closes");
  expect(frame).toContain("hype vms get a-1 --json");
  expect(frame).toContain("hype vms get b-2 --json");
  await tui.press("RETURN", "S");
  await tui.until("Stop 2 VMs?");
  await tui.press("n");
  expect(tui.server.engine.calls).toEqual([]);
  await tui.press("S", "y");
  await tui.until("2 VMs stopped");
});

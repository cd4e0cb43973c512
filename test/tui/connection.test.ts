import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { DEFAULT_SETTINGS, initialState } from "../../src/tui/state/state.ts";
import { Store } from "../../src/tui/state/store.ts";
import { SettingsKeeper } from "../../src/tui/settings/keeper.ts";
import { loadRemembered, saveRemembered } from "../../src/tui/settings/settings-file.ts";
import { temporaryDirectory } from "../lib/temporary.ts";
import { startTestServer } from "../server/harness.ts";
import { TuiWorld } from "./world.ts";

test("no server: says so, and what can be done; another address finds one", async () => {
  await using tui = await TuiWorld.open({
    address: "http://127.0.0.1:1",
    prepare: ({ engine }) => void engine.add("a-1"),
  });
  expect(await tui.until("no server answers")).toMatchSnapshot();
  await tui.press("o");
  await tui.until("Address of the server");
  await tui.screen.mockInput.pressKey("u", { ctrl: true });
  await tui.press(..."127.0.0.1:7777", "RETURN");
  await tui.until("a-1");
  expect(tui.store.state.settings.servers).toEqual(["http://127.0.0.1:7777"]);
});

test("no server: one is started here, and told how to end", async () => {
  await using tui = await TuiWorld.open({ address: "http://127.0.0.1:1" });
  await tui.until("no server answers");
  await tui.press("s");
  await tui.until("hype serve runs in the background");
  expect(tui.seen.served).toBe(1);
  await tui.press("q");
  expect(tui.seen.quits).toBe(1);
});

test("a key that is refused is asked for, and never shown", async () => {
  await using tui = await TuiWorld.open({ key: "hype_wrong", prepare: ({ engine }) => void engine.add("a-1") });
  await tui.until("Key for 127.0.0.1:7777");
  await tui.screen.mockInput.pasteBracketedText(`hype_${"k".repeat(43)}`);
  expect(await tui.until("••••")).not.toContain("kkkk");
  await tui.press("RETURN");
  await tui.until("a-1");
});

test("a server that goes away: what it said stays, as old; when it is back what happened meanwhile is there", async () => {
  await using tui = await TuiWorld.open({ prepare: ({ engine }) => void engine.add("a-1") });
  await tui.until("a-1");
  const port = Number(new URL(tui.server.url).port);
  await tui.server.app.stop(true);
  const stale = await tui.until("✖ offline");
  expect(stale).toContain("a-1");
  tui.server.engine.add("b-2");
  await using back = startTestServer({ port, context: { engine: tui.server.engine } });
  expect(back.url).toBe(tui.server.url);
  await tui.until((frame) => frame.includes("b-2") && !frame.includes("offline"));
}, 30_000);

test("1,000 events in a burst: the last state is shown", async () => {
  await using tui = await TuiWorld.open({
    prepare: ({ engine }) => {
      for (let at = 0; at < 50; at++) engine.add(`vm-${at}`, { status: "stopped" });
    },
  });
  await tui.until("50 VMs");
  const rows = [...tui.server.engine.rows.values()];
  for (let at = 0; at < 1_000; at++) {
    const vm = rows[at % rows.length]!;
    vm.status = at >= 950 ? "paused" : at % 2 ? "running" : "stopped";
    tui.server.engine.emit("VM_RESIZED", vm);
  }
  await tui.until(() => [...tui.store.state.vms.values()].every(({ status }) => status === "paused"));
  expect(tui.store.state.events.at(-1)?.seq).toBe(1_050);
});

test("how far a boot has come is told in the list", async () => {
  await using tui = await TuiWorld.open({ prepare: ({ engine }) => void engine.add("a-1", { status: "starting" }) });
  await tui.until("starting");
  const { engine } = tui.server;
  const vm = engine.get("a-1");
  engine.emit("VM_BOOT_PROGRESS", vm);
  engine.log.at(-1)!.data = { phase: "agent" };
  await tui.until("◔ agent");
  vm.status = "running";
  engine.emit("VM_RUNNING", vm);
  await tui.until((frame) => frame.includes("a-1 is running") && !frame.includes("◔"));
});

test("themes, columns and the bell are chosen, and settings hold them", async () => {
  await using tui = await TuiWorld.open({ prepare: ({ engine }) => void engine.add("a-1") });
  await tui.until("ADDRESS");
  await tui.press("T");
  await tui.until("theme: dark");
  await tui.press("C", "3");
  await tui.until("○ address");
  await tui.press("ESCAPE");
  await tui.until((frame) => !frame.includes("ADDRESS") && frame.includes("q quit"));
  await tui.press("B");
  tui.server.engine.emit("VM_CRASHED", tui.server.engine.get("a-1"));
  await tui.until("a-1 crashed");
  expect(tui.seen.bells).toBe(1);
  expect(tui.store.state.settings).toMatchObject({ theme: "dark", bell: true, hiddenColumns: ["address"] });
});

test("too small a screen says so, and is back when it grows", async () => {
  await using tui = await TuiWorld.open({ prepare: ({ engine }) => void engine.add("a-1") });
  await tui.until("a-1");
  tui.screen.resize(40, 8);
  await tui.until("hype needs 60x15");
  tui.screen.resize(80, 24);
  await tui.until("a-1");
});

test("settings are kept whole, for their owner only; a damaged file is left alone", () => {
  using directory = temporaryDirectory();
  const path = directory.join("overhyped", "tui.json");
  expect(loadRemembered(path)).toEqual({ settings: DEFAULT_SETTINGS, history: [], problem: null });
  const store = new Store(initialState("http://x", structuredClone(DEFAULT_SETTINGS), 0));
  const keeper = new SettingsKeeper(store, path);
  store.update((state) => {
    state.settings.bell = true;
    state.history.push("vms list");
  });
  keeper[Symbol.dispose]();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(loadRemembered(path)).toMatchObject({ settings: { bell: true }, history: ["vms list"], problem: null });
  for (const damaged of ["{", '{"settings":{"theme":"pink"}}', "x".repeat(2_000_000)]) {
    writeFileSync(path, damaged);
    const { settings, problem } = loadRemembered(path);
    expect(settings).toEqual(DEFAULT_SETTINGS);
    expect(problem).toContain(path);
    expect(readFileSync(path, "utf8")).toBe(damaged);
  }
  mkdirSync(directory.join("file"), { recursive: true });
  expect(() => saveRemembered(directory.join("file"), { settings: DEFAULT_SETTINGS, history: [] })).toThrow();
});

import { expect, setDefaultTimeout, test } from "bun:test";
import { TuiWorld } from "./world.ts";

setDefaultTimeout(30_000);

async function withProfiles(...names: string[]): Promise<TuiWorld> {
  const tui = await TuiWorld.open({ prepare: ({ engine }) => void engine.add("demo") });
  const state = { cookies: [], origins: [] };
  for (const name of names) {
    const body = JSON.stringify({ state });
    const answer = await tui.server.call(`/api/v1/profiles/${name}/state`, { method: "PUT", body });
    expect(answer.status).toBeLessThan(300);
  }
  await tui.until("demo");
  return tui;
}

test("what is wrong is said while it is typed, and no longer than it is wrong", async () => {
  await using tui = await withProfiles();
  await tui.press("c", "A");
  await tui.until("name: must be lower-case");
  await tui.press("BACKSPACE", "a");
  await tui.until((frame) => !frame.includes("must be"));
  await tui.press("TAB", "0");
  await tui.until((frame) => frame.includes("✖ cpu") || frame.includes("cpu       10"));
  await tui.press("x");
  await tui.until("cpu: expected a whole number");
  await tui.press("BACKSPACE", "BACKSPACE", "BACKSPACE", "2");
  await tui.until((frame) => !frame.includes("✖"));
});

test("a profile is picked from the server's: narrowed by typing, chosen with the arrows; an unknown one is said", async () => {
  await using tui = await withProfiles("shop-anna", "shop-ben", "mail");
  await tui.press("c", ..."new", "TAB", "TAB", "TAB", "TAB");
  const all = await tui.until("0 cookies");
  for (const name of ["shop-anna", "shop-ben", "mail"]) expect(all).toContain(name);
  await tui.press(..."shop");
  const some = await tui.until((frame) => !frame.includes("mail"));
  expect(some).toContain("there is no profile shop");
  await tui.press("ARROW_DOWN", "ARROW_DOWN", "RETURN");
  await tui.until((frame) => /profile +shop-ben/.test(frame) && !frame.includes("cookies"));
  await tui.press("RETURN");
  await tui.until("new is running");
  expect(tui.server.engine.calls).toContain("create new false");
});

test("while it boots the form tells how far it is; it can be left, and crashes are told with their reason", async () => {
  await using tui = await withProfiles();
  const { engine } = tui.server;
  engine.create = async ({ name }) => engine.add(name, { status: "starting" });
  await tui.press("c", ..."new", "RETURN");
  await tui.until((frame) => frame.includes("new boots") && frame.includes("◔ machine …"));
  const vm = engine.get("new");
  const event = { vm_id: vm.id, vm_name: vm.name, at: new Date(Date.parse(vm.updated_at) + 400).toISOString() };
  engine.append({ ...event, type: "VM_BOOT_PROGRESS", data: { phase: "spawned" } });
  await tui.until((frame) => frame.includes("✔ machine  400 ms") && frame.includes("◔ kernel and agent …"));
  Object.assign(vm, { status: "crashed", status_reason: "not usable within 60000 ms" });
  engine.emit("VM_CRASHED", vm);
  await tui.until((frame) => frame.includes("new crashed") && frame.includes("not usable within 60000 ms"));
  await tui.press("RETURN");
  await tui.until((frame) => frame.includes("1 overview") && frame.includes("✖ crashed"));
});

test("one that is left alone while it is made says so in the corner", async () => {
  await using tui = await withProfiles();
  const { engine } = tui.server;
  const made = Promise.withResolvers<void>();
  engine.create = async ({ name }) => {
    await made.promise;
    return engine.add(name, { status: "starting" });
  };
  await tui.press("c", ..."new", "RETURN", "RETURN");
  await tui.until("asking the server …");
  await tui.press("ESCAPE");
  await tui.until((frame) => !frame.includes("Create a VM"));
  made.resolve();
  await tui.until("new boots");
  expect(engine.rows.size).toBe(2);
});

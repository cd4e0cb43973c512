import { expect, test } from "bun:test";
import { request, World } from "./world.ts";

const anna = { link: "L1", label: "anna" };

test("control stands in the row and the events, has one holder, and goes by force or when it was offered", async () => {
  await using world = new World();
  const { engine } = world;
  await engine.create(request("demo"));
  expect(engine.get("demo").control).toBeNull();
  expect(engine.takeControl("demo", anna).control).toMatchObject({ holder: "human", ...anna });
  expect(engine.list({}).items[0]?.control).toMatchObject(anna);
  expect(() => engine.takeControl("demo", { link: "L2", label: null })).toThrow("anna has control of demo");
  engine.takeControl("demo", { link: null, label: "bob" }, { force: true });
  // Taken by the API for bob: whichever page takes it up keeps the name.
  expect(engine.takeControl("demo", { link: "L2", label: null }).control).toMatchObject({ link: "L2", label: "bob" });
  expect(engine.returnControl("demo", "given back").control).toBeNull();
  engine.returnControl("demo", "twice is harmless");
  const told = world.events("demo").filter(({ type }) => type.startsWith("VM_CONTROL"));
  expect(told.map(({ type, data }) => [type, data.label, data.reason])).toEqual([
    ["VM_CONTROL_TAKEN", "anna", undefined],
    ["VM_CONTROL_TAKEN", "bob", undefined],
    ["VM_CONTROL_TAKEN", "bob", undefined],
    ["VM_CONTROL_RETURNED", "bob", "given back"],
  ]);
});

test("a VM that stops gives control back, and one that does not run has none to take", async () => {
  await using world = new World();
  await world.engine.create(request("demo"));
  world.engine.takeControl("demo", anna);
  expect((await world.engine.stop("demo", { force: true })).control).toBeNull();
  expect((await world.event("VM_CONTROL_RETURNED")).data).toMatchObject({ ...anna, reason: "demo is being stopped" });
  expect(() => world.engine.takeControl("demo", anna)).toThrow("demo is stopped");
  await world.engine.start("demo");
  world.engine.takeControl("demo", anna);
  await world.engine.delete("demo");
  expect(world.types().filter((type) => type === "VM_CONTROL_RETURNED")).toHaveLength(2);
});

test("a server that died leaves nobody in control", async () => {
  await using first = new World();
  await first.engine.create(request("demo"));
  first.engine.takeControl("demo", anna);
  first.die();
  await using second = await first.next();
  expect(second.engine.get("demo")).toMatchObject({ status: "running", control: null });
  expect((await second.event("VM_CONTROL_RETURNED")).data.reason).toBe("the server was restarted");
});

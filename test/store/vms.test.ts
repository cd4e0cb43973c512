import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { type EgressPolicy, HypeError, type ListVmsQuery, Vm } from "../../src/contract/index.ts";
import { addresses, poolSize } from "../../src/store/leases.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import type { NewVm } from "../../src/store/vms.ts";

const network = { subnet: "10.9.0.0/29", hostIp: "10.9.0.1" };
let directory: string;
let store: Store;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "hype-store-"));
  store = openStore(join(directory, "state.db"));
});
afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true, force: true });
});

const OPEN: EgressPolicy = { mode: "open", allow: [], deny: [] };
const row = (name: string, change: Partial<NewVm> = {}): NewVm => ({
  id: Bun.randomUUIDv7(),
  name,
  status: "creating",
  status_reason: null,
  console_tail: null,
  generation: 1,
  cpu_cores: 1,
  memory_mb: 1024,
  kernel_cmdline: null,
  network: "user",
  keep: [],
  isolation: null,
  image: "default",
  profile: null,
  labels: {},
  ttl_seconds: null,
  expires_at: null,
  ip_address: "",
  endpoint: null,
  hypervisor: null,
  accelerator: null,
  pid: null,
  boot_ms: null,
  browser_restarts: 0,
  created_at: new Date(Date.parse("2026-01-01T00:00:00.000Z")).toISOString(),
  started_at: null,
  ...change,
});
const add = (name: string, change: Partial<NewVm> = {}, pool = { subnet: "10.9.0.0/24", hostIp: "10.9.0.1" }): Vm =>
  store.write(() => {
    const vm = row(name, change);
    return store.vms.insert({ ...vm, ip_address: store.leases.take(vm.id, pool) }, OPEN);
  });
const remove = (vm: Vm) =>
  store.write(() => {
    store.vms.remove(vm.id);
    store.leases.free(vm.id);
  });

describe("leases", () => {
  test("lowest free first, without network, broadcast and host address; a freed one is the next", () => {
    const vms = ["a", "b", "c", "d", "e"].map((name) => add(name, {}, network));
    expect(vms.map((vm) => vm.ip_address)).toEqual(["10.9.0.2", "10.9.0.3", "10.9.0.4", "10.9.0.5", "10.9.0.6"]);
    expect(() => add("f", {}, network)).toThrow(expect.objectContaining({ code: "lease_pool_empty" }));
    remove(vms[3] as Vm);
    remove(vms[1] as Vm);
    expect(add("g", {}, network).ip_address).toBe("10.9.0.3");
    expect(add("h", {}, network).ip_address).toBe("10.9.0.5");
    expect(store.leases.used()).toBe(5);
  });

  test("a refused VM takes no address", () => {
    add("a", {}, network);
    expect(() => add("a", {}, network)).toThrow(/UNIQUE/);
    expect(store.leases.used()).toBe(1);
  });

  test("the database itself refuses a VM without lease, a lease without VM, and a second owner", () => {
    const vm = add("a");
    expect(() => store.write(() => store.vms.insert({ ...row("b"), ip_address: "10.9.0.77" }, OPEN))).toThrow(
      /FOREIGN KEY/,
    );
    expect(() => store.write(() => store.leases.take("nobody", network))).toThrow(/FOREIGN KEY/);
    expect(() => store.write(() => store.leases.take(vm.id, network))).toThrow(/UNIQUE/);
    expect(() => store.write(() => store.leases.free(vm.id))).toThrow(/FOREIGN KEY/);
  });

  test("the pool's size is the number of its addresses", () => {
    for (const pool of [
      network,
      { subnet: "10.9.0.0/24", hostIp: "10.9.0.200" },
      { subnet: "10.8.0.0/28", hostIp: "10.9.0.1" },
    ])
      expect(poolSize(pool)).toBe([...addresses(pool)].length);
    expect(poolSize(network)).toBe(5);
  });
});

describe("rows", () => {
  test("are the contract's Vm, and never hold a secret", () => {
    const vm = add("a", { labels: { team: "qa" } });
    store.vms.update(
      vm.id,
      {
        token: "s3cret",
        machine: { pid: 4 },
        attachment: { endpoint: "x" },
        egress: { mode: "none", allow: ["10.0.0.1:443"], deny: [] },
        proxy: { url: "http://user:s3cret@proxy.test:3128", bypass: [] },
        intent: "restart",
      },
      "later",
    );
    const shown = store.vms.find("a") as Vm;
    expect([vm.egress_mode, shown.egress_mode]).toEqual(["open", "none"]);
    expect(v.parse(v.strictObject(Vm.entries), shown)).toEqual(shown);
    expect(JSON.stringify([shown, store.vms.list({}), store.vms.all()])).not.toContain("s3cret");
    expect(store.vms.secrets(vm.id)).toEqual({
      token: "s3cret",
      machine: { pid: 4 },
      attachment: { endpoint: "x" },
      egress: { mode: "none", allow: ["10.0.0.1:443"], deny: [] },
      proxy: { url: "http://user:s3cret@proxy.test:3128", bypass: [] },
      intent: "restart",
    });
  });

  test("are found by name and id; an id wins over a name that looks like it", () => {
    const first = add("a");
    const second = add(first.id);
    expect(store.vms.find("a")?.id).toBe(first.id);
    expect(store.vms.find(first.id)?.id).toBe(first.id);
    expect(store.vms.find(second.id)?.name).toBe(first.id);
    expect(store.vms.find("nobody")).toBeNull();
    expect(store.vms.secrets("nobody")).toBeNull();
  });

  test("an update changes what it names and says when", () => {
    const vm = add("a", { labels: { team: "qa" } });
    const after = store.vms.update(vm.id, { status: "running", pid: 7 }, "2026-02-02T00:00:00.000Z");
    expect(after).toEqual({ ...vm, status: "running", pid: 7, updated_at: "2026-02-02T00:00:00.000Z" });
    expect(store.vms.update("nobody", { pid: 7 }, "x")).toBeNull();
  });

  test("a transaction that fails leaves nothing", () => {
    expect(() =>
      store.write(() => {
        add("a");
        throw new HypeError("cancelled", "no");
      }),
    ).toThrow("no");
    expect(store.vms.all()).toEqual([]);
    expect(store.leases.used()).toBe(0);
  });
});

describe("list", () => {
  beforeEach(() => {
    const day = (n: number) => `2026-01-0${n}T00:00:00.000Z`;
    add("web-1", { status: "running", memory_mb: 2048, created_at: day(3), labels: { team: "qa", tier: "web" } });
    add("web-2", { status: "stopped", memory_mb: 512, created_at: day(1), labels: { team: "ops" } });
    add("db", { status: "running", memory_mb: 512, created_at: day(2), labels: { "a.b/c": "x=y", team: "qa" } });
  });
  const cases: [name: string, query: ListVmsQuery, names: string[], total: number][] = [
    ["everything, oldest first", {}, ["web-2", "db", "web-1"], 3],
    ["one status", { status: "running" }, ["db", "web-1"], 2],
    ["several statuses", { status: "stopped, running" }, ["web-2", "db", "web-1"], 3],
    ["a status nobody has", { status: "paused" }, [], 0],
    ["an empty status", { status: "" }, ["web-2", "db", "web-1"], 3],
    ["a label with value", { label: "team=qa" }, ["db", "web-1"], 2],
    ["a label whatever its value", { label: "tier" }, ["web-1"], 1],
    ["two labels", { label: "team=qa,tier=web" }, ["web-1"], 1],
    ["odd label text", { label: "a.b/c=x=y" }, ["db"], 1],
    ["quotes in a label", { label: `team='"$` }, [], 0],
    ["part of the name", { q: "web" }, ["web-2", "web-1"], 2],
    ["name in upper case", { q: "WEB-1" }, ["web-1"], 1],
    ["a percent sign is no wildcard", { q: "%" }, [], 0],
    ["by name, downwards", { sort: "-name" }, ["web-2", "web-1", "db"], 3],
    ["ties settled by age", { sort: "memory_mb" }, ["web-2", "db", "web-1"], 3],
    ["a page knows the total", { sort: "name", limit: "1", offset: "1" }, ["web-1"], 3],
    ["a page beyond the end", { offset: "7" }, [], 3],
    ["all at once", { status: "running", label: "team", q: "d", sort: "-created_at", limit: "5" }, ["db"], 1],
  ];
  for (const [name, query, names, total] of cases)
    test(name, () => {
      const page = store.vms.list(query);
      expect({ names: page.items.map((vm) => vm.name), total: page.total }).toEqual({ names, total });
    });

  test("an unknown status and too many labels are refused", () => {
    expect(() => store.vms.list({ status: "running,asleep" })).toThrow(/no such status: asleep/);
    expect(() => store.vms.list({ label: Array.from({ length: 65 }, (_, i) => `k${i}`).join() })).toThrow(/at most 64/);
  });

  test("pages neither repeat nor skip a row", () => {
    for (let n = 0; n < 20; n++) add(`same-${n}`);
    const seen = [];
    for (let offset = 0; offset < 23; offset += 4)
      seen.push(...store.vms.list({ sort: "memory_mb", limit: "4", offset: String(offset) }).items.map((vm) => vm.id));
    expect(new Set(seen).size).toBe(23);
  });
});

test("a remembered list never outlives a change of the rows", () => {
  const names = (query: ListVmsQuery = {}) =>
    store.vms.list(query).items.map(({ name, status }) => `${name}:${status}`);
  expect(names()).toEqual([]);
  const vm = add("a");
  expect(names()).toEqual(["a:creating"]);
  expect(names({ status: "running" })).toEqual([]);
  store.vms.update(vm.id, { status: "running" }, "later");
  expect(names({ status: "running" })).toEqual(["a:running"]);
  expect(() =>
    store.write(() => {
      store.vms.update(vm.id, { status: "stopped" }, "later");
      expect(names()).toEqual(["a:stopped"]);
      throw new HypeError("cancelled", "no");
    }),
  ).toThrow("no");
  expect(names()).toEqual(["a:running"]);
  remove(vm);
  expect(names()).toEqual([]);
});

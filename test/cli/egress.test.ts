import { describe, expect, test } from "bun:test";
import type { Egress } from "../../src/contract/egress.ts";
import { aVm, fakeClient, hype } from "./harness.ts";

const report = (change: Partial<Egress> = {}): Egress => ({
  policy: { mode: "none", allow: ["203.0.113.7:443"], deny: [] },
  enforced: true,
  allowed: { packets: 12, bytes: 3456 },
  refused: { packets: 3, bytes: 180 },
  refusals: [{ protocol: "tcp", address: "10.0.0.1", port: 22, packets: 3 }],
  ...change,
});

describe("egress get", () => {
  test("is facts and a table for people, the reply for machines", async () => {
    const client = fakeClient({ vms: { egress: async () => report() } });
    const { stdout } = await hype(["egress", "get", "demo"], { client });
    expect(stdout).toMatch(/mode +none/);
    expect(stdout).toMatch(/allow +203\.0\.113\.7:443/);
    expect(stdout).toMatch(/10\.0\.0\.1 +tcp +22 +3/);
    expect(JSON.parse((await hype(["egress", "get", "demo", "--json"], { client })).stdout)).toEqual(report());
  });
  test("says when nothing is in force, and shortens long lists", async () => {
    const allow = Array.from({ length: 50 }, (_, n) => `10.0.${n}.0/24`);
    const egress = report({ enforced: false, refusals: [], policy: { mode: "open", allow, deny: [] } });
    const { stdout } = await hype(["egress", "get", "demo"], {
      client: fakeClient({ vms: { egress: async () => egress } }),
    });
    expect(stdout).toContain("no: not started, or on a network that cannot police");
    expect(stdout).toContain("and 30 more");
    expect(stdout).not.toContain("refused");
  });
});

describe("egress set", () => {
  const asked: unknown[] = [];
  const client = fakeClient({
    vms: {
      setEgress: async (...args: unknown[]) => {
        asked.push(args.slice(0, 2));
        return report();
      },
    },
  });
  test.each<[string[], unknown]>([
    [["--mode", "internet"], { mode: "internet", allow: [], deny: [] }],
    [
      ["--mode", "none", "--allow", "10.0.0.1, 10.0.0.2:80", "--allow", "10.1.0.0/16"],
      { mode: "none", allow: ["10.0.0.1", "10.0.0.2:80", "10.1.0.0/16"], deny: [] },
    ],
    [["--deny", "198.51.100.0/24"], { allow: [], deny: ["198.51.100.0/24"] }],
  ])("%j", async (flags, policy) => {
    asked.length = 0;
    expect((await hype(["egress", "set", "demo", ...flags], { client })).code).toBe(0);
    expect(asked).toEqual([["demo", policy]]);
  });
  test.each([[[]], [["--mode", "some"]]])("%j is a usage error, and nothing is sent", async (flags) => {
    asked.length = 0;
    const { code, stderr } = await hype(["egress", "set", "demo", ...flags], { client });
    expect(code).toBe(2);
    expect(stderr).toContain("error[usage]");
    expect(asked).toEqual([]);
  });
});

test("a VM shows its network, its policy's mode and its jail", async () => {
  const vm = aVm({
    network: "slot",
    egress_mode: "internet",
    isolation: {
      uid: 1_900_000_002,
      measures: ["own-user", "seccomp"],
      missing: [{ measure: "cgroup", reason: "no cgroup v2" }],
    },
  });
  const { stdout } = await hype(["vms", "get", "demo"], { client: fakeClient({ vms: { get: async () => vm } }) });
  expect(stdout).toMatch(/network +slot, egress internet/);
  expect(stdout).toMatch(/jail +uid 1900000002, seccomp, missing: cgroup/);
});

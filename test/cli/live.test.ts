import { describe, expect, test } from "bun:test";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CreatedLiveLink, LiveLink } from "../../src/contract/index.ts";
import { until } from "../engine/world.ts";
import { temporaryDirectory } from "../lib/temporary.ts";
import { fakeClient, hype } from "./harness.ts";

const aLink = (change: Partial<LiveLink> = {}): LiveLink => ({
  id: "0190b5a0-0000-7000-8000-000000000009",
  vm_id: "0190b5a0-0000-7000-8000-000000000001",
  label: null,
  view_only: false,
  key_id: "admin",
  created_at: "2026-01-02T03:04:05.000Z",
  expires_at: "2099-01-02T03:14:05.000Z",
  revoked_at: null,
  watchers: 0,
  ...change,
});
const URL = "http://127.0.0.1:7777/live/demo#token";
const asked: unknown[] = [];
const client = fakeClient({
  live: {
    createLink: async (...args: unknown[]) => {
      asked.push(args);
      return { ...aLink(), url: URL } satisfies CreatedLiveLink;
    },
    links: async () => ({
      items: [
        aLink({ label: "anna\u001b[31m", watchers: 2 }),
        aLink({ id: "old", expires_at: "2020-01-01T00:00:00.000Z", view_only: true }),
        aLink({ id: "gone", revoked_at: "2026-01-02T03:04:06.000Z" }),
      ],
    }),
    revokeLink: async (id: string) => aLink({ id, revoked_at: "2026-01-02T03:04:06.000Z" }),
  },
});

describe("live", () => {
  test.each<[string[], unknown]>([
    [[], { view_only: false }],
    [["--view-only", "--ttl", "10m", "--for", "anna"], { view_only: true, ttl_seconds: 600, label: "anna" }],
  ])("%j prints the URL and nothing else", async (flags, body) => {
    asked.length = 0;
    expect(await hype(["live", "demo", ...flags], { client })).toMatchObject({
      code: 0,
      stdout: `${URL}\n`,
      stderr: "",
    });
    expect(asked).toEqual([["demo", body]]);
  });

  test("--open hands it to the desktop, and says so where there is none", async () => {
    using directory = temporaryDirectory();
    const told = join(directory.path, "told");
    const program = join(directory.path, "xdg-open");
    writeFileSync(program, `#!/bin/sh\nprintf %s "$1" > ${told}.part && mv ${told}.part ${told}\n`);
    chmodSync(program, 0o755);
    const env = { PATH: `${directory.path}:/usr/bin:/bin` };
    expect((await hype(["live", "demo", "--open"], { client, env })).code).toBe(0);
    await until(() => Bun.file(told).size > 0);
    expect(readFileSync(told, "utf8")).toBe(URL);
    const without = await hype(["live", "demo", "--open"], { client, env: { PATH: "/nonexistent" } });
    expect(without.stderr).toContain("error[tool_missing]");
    expect(without.stdout).toBe(`${URL}\n`);
  });

  test("a duration that is none is a usage error, and nothing is made", async () => {
    asked.length = 0;
    expect((await hype(["live", "demo", "--ttl", "soon"], { client })).code).toBe(2);
    expect(asked).toEqual([]);
  });

  test("list shows the links that hold, --all the others too; names are harmless", async () => {
    const { stdout } = await hype(["live", "list", "demo"], { client });
    expect(stdout).toMatch(/009 +anna.* +act +active +2 +2099/);
    expect(stdout).not.toContain("\u001b");
    expect(stdout).not.toContain("gone");
    const all = await hype(["live", "list", "demo", "--all"], { client });
    expect(all.stdout).toMatch(/old +- +watch +expired/);
    expect(all.stdout).toMatch(/gone +- +act +revoked/);
    expect(JSON.parse((await hype(["live", "ls", "demo", "--json"], { client })).stdout).items).toHaveLength(1);
  });

  test("revoke", async () => {
    expect((await hype(["live", "revoke", "abc"], { client })).stdout).toBe("abc is revoked\n");
  });
});

import { describe, expect, test } from "bun:test";
import { TokenBucket } from "../../../src/server/auth/rate-limit.ts";
import { startTestServer } from "../harness.ts";
import { withKey } from "./client.ts";

describe("token bucket", () => {
  test("a minute's calls at once, then one by one", () => {
    let now = 0;
    const bucket = new TokenBucket(6, () => now);
    for (let call = 0; call < 6; call++) expect(bucket.take()).toBeNull();
    expect(bucket.take()).toBe(10);
    now = 9_999;
    expect(bucket.take()).toBe(1);
    now = 10_000;
    expect(bucket.take()).toBeNull();
    expect(bucket.take()).toBe(10);
  });

  test("saves no more than a minute's calls", () => {
    let now = 0;
    const bucket = new TokenBucket(3, () => now);
    now = 3_600_000;
    const taken = Array.from({ length: 5 }, () => bucket.take());
    expect(taken).toEqual([null, null, null, 20, 20]);
  });

  test("refused calls cost nothing: whoever goes on knocking is let in when it is time", () => {
    let now = 0;
    const bucket = new TokenBucket(1, () => now);
    expect(bucket.take()).toBeNull();
    for (now = 1_000; now < 60_000; now += 1_000) expect(bucket.take()).toBe((60_000 - now) / 1000);
    expect(bucket.take()).toBeNull();
  });
});

test("a key that has had its calls gets 429 with Retry-After; other keys and the admin do not", async () => {
  await using server = startTestServer();
  const key = withKey(server, { rate_per_minute: 3 });
  const other = withKey(server, { rate_per_minute: 3 });
  for (let call = 0; call < 3; call++) expect(await key.code("/api/v1/vms")).toBe(200);
  const reply = await key.call("/api/v1/vms");
  expect(reply.status).toBe(429);
  expect(Number(reply.headers.get("retry-after"))).toBeWithin(1, 21);
  expect(await reply.text()).toContain(`the key ${key.name} has had its calls for now`);
  expect(await other.code("/api/v1/vms")).toBe(200);
  for (let call = 0; call < 50; call++) expect((await server.call("/api/v1/vms")).status).toBe(200);
});

import * as v from "valibot";
import { CreateKey } from "../../../src/contract/index.ts";
import type { TestServer } from "../harness.ts";

/** A key of a running test server, and calls with it. */
export function withKey(server: TestServer, input: Partial<v.InferInput<typeof CreateKey>> = {}) {
  const name = `key-${server.keys.list().length + 1}`;
  const created = server.keys.create(v.parse(CreateKey, { name, ...input }));
  const call = (path: string, init: RequestInit = {}) =>
    server.call(path, { ...init, headers: { ...init.headers, authorization: `Bearer ${created.key}` } });
  return {
    ...created,
    call,
    /** The code of the error a call ends with, or its status. */
    async code(path: string, init: RequestInit = {}): Promise<string | number> {
      const reply = await call(path, init);
      const text = await reply.text();
      return reply.ok || reply.status === 101 ? reply.status : (JSON.parse(text) as { code: string }).code;
    },
    async json<Value>(path: string, init: RequestInit = {}): Promise<Value> {
      return (await (await call(path, init)).json()) as Value;
    },
  };
}

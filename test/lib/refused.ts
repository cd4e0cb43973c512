import { expect } from "bun:test";
import { type ErrorCode, HypeError } from "../../src/contract/index.ts";

/** The call must fail with that code. @returns its message */
export async function refused(code: ErrorCode, promise: Promise<unknown>): Promise<string> {
  const thrown = await promise.then(
    (value) => `nothing was thrown but ${JSON.stringify(value)} returned`,
    (reason: unknown) => reason,
  );
  expect(thrown).toBeInstanceOf(HypeError);
  expect((thrown as HypeError).code).toBe(code);
  return (thrown as HypeError).message;
}

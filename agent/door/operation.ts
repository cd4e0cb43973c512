import type * as v from "valibot";
import { withDeadline } from "../browser/deadline.ts";
import { type Call, type Handler, json, type Reply } from "./http.ts";

export type Timed = { timeout_ms: number };

/**
 * A route that does one thing: body under its schema, work within the deadline the body asks for, reply. Work that tells nothing is
 * answered with `{}`.
 * @param maxBytes largest body taken; the door's own limit when not given.
 */
export const operation =
  <R extends Timed, T>(
    what: string,
    schema: v.GenericSchema<unknown, R>,
    run: (request: R, signal: AbortSignal) => Promise<T>,
    reply: (result: T, request: R) => Reply = (result) => json(result ?? {}),
    maxBytes?: number,
  ): Handler =>
  async (call: Call): Promise<Reply> => {
    const request = await call.body(schema, maxBytes);
    return reply(await withDeadline(what, request.timeout_ms, call.signal, (signal) => run(request, signal)), request);
  };

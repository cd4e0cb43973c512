import type * as v from "valibot";
import type { Guest } from "../../guest/guest.ts";

type Schema = v.GenericSchema;

/** One thing that can be done to a VM's browser, as every door offers it: what it takes, what it gives, and how the guest is asked. */
export type Operation<Request extends Schema = Schema, Reply extends Schema | null = Schema | null> = {
  summary: string;
  request: Request;
  /** null: the reply is bytes, of the type named. */
  reply: Reply;
  contentType: string;
  run(guest: Guest, request: v.InferOutput<Request>, signal: AbortSignal): Promise<unknown>;
};

/** Gives JSON under a schema. */
export const operation = <Request extends Schema, Reply extends Schema>(
  summary: string,
  request: Request,
  reply: Reply,
  run: (guest: Guest, request: v.InferOutput<Request>, signal: AbortSignal) => Promise<v.InferOutput<Reply>>,
): Operation<Request, Reply> => ({ summary, request, reply, contentType: "application/json", run });

/** Gives bytes; their type is what was asked for, never the guest's word. */
export const bytesOperation = <Request extends Schema>(
  summary: string,
  request: Request,
  contentType: string,
  run: (guest: Guest, request: v.InferOutput<Request>, signal: AbortSignal) => Promise<Uint8Array>,
): Operation<Request, null> => ({ summary, request, reply: null, contentType, run });

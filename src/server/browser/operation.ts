import type * as v from "valibot";
import type { ArtifactKind } from "../../contract/index.ts";
import type { Guest } from "../../guest/guest.ts";
import type { KeptFile } from "../artifacts/keep.ts";

type Schema = v.GenericSchema;

/** One thing that can be done to a VM's browser, as every door offers it: what it takes, what it gives, and how the guest is asked. */
export type Operation<Request extends Schema = Schema, Reply extends Schema | null = Schema | null> = {
  summary: string;
  request: Request;
  /** null: the reply is bytes, of the type named. */
  reply: Reply;
  contentType: string;
  /** What of the result can be kept on the host (`?keep=true`, or the VM's policy); null: nothing. */
  kept: Kept | null;
  run(guest: Guest, request: v.InferOutput<Request>, signal: AbortSignal): Promise<unknown>;
};

type Kept = {
  kind: ArtifactKind;
  file(result: never, guest: Guest, signal: AbortSignal): KeptFile | Promise<KeptFile>;
};

/** Gives JSON under a schema. */
export const operation = <Request extends Schema, Reply extends Schema>(
  summary: string,
  request: Request,
  reply: Reply,
  run: (guest: Guest, request: v.InferOutput<Request>, signal: AbortSignal) => Promise<v.InferOutput<Reply>>,
): Operation<Request, Reply> => ({ summary, request, reply, contentType: "application/json", kept: null, run });

/**
 * The same, with something to keep.
 * @param file of the result: what the artifact holds, streamed from the guest where it is not the result itself
 */
export const keepable = <Reply extends Schema, Request extends Schema>(
  of: Operation<Request, Reply>,
  kind: ArtifactKind,
  file: (result: v.InferOutput<Reply>, guest: Guest, signal: AbortSignal) => KeptFile | Promise<KeptFile>,
): Operation<Request, Reply> => ({ ...of, kept: { kind, file } });

/** Gives bytes; their type is what was asked for, never the guest's word. They can be kept. @param ending of the file's name: ".pdf" */
export const bytesOperation = <Request extends Schema>(
  summary: string,
  request: Request,
  contentType: string,
  run: (guest: Guest, request: v.InferOutput<Request>, signal: AbortSignal) => Promise<Uint8Array>,
  kind: ArtifactKind = "other",
  ending = "",
): Operation<Request, null> => ({
  summary,
  request,
  reply: null,
  contentType,
  kept: { kind, file: (bytes: Uint8Array) => ({ contentType, ending, bytes }) },
  run,
});

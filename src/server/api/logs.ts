import { Elysia } from "elysia";
import * as v from "valibot";
import { LogSource } from "../../contract/index.ts";
import type { Gate } from "../auth/gate.ts";
import type { ServerContext } from "../context.ts";
import { readAgentLog } from "../agent-log.ts";
import { readLog } from "../follow.ts";
import { flag, queryNumber, textReply, VmRef } from "./schemas.ts";

const LogQuery = v.strictObject({
  source: v.optional(LogSource, "console"),
  tail: v.pipe(queryNumber(0, 100_000), v.description("Lines from the end; default 200")),
  follow: v.pipe(flag, v.description("true: go on with what is added until the caller or the VM goes away")),
});

/** Logs of a VM as plain text: the guest's console, the agent in it, the VMM. Not sanitised: what a guest writes is data. */
export function logRoutes({ engine, closing }: ServerContext, gate: Gate) {
  return new Elysia({ name: "logs" }).get(
    "/api/v1/vms/:name/logs",
    async ({ params, query, request, server }) => {
      server?.timeout(request, 0);
      const follow = query.follow === "true";
      const tail = Number(query.tail ?? 200);
      const source = query.source;
      const stop = new AbortController();
      const signal = AbortSignal.any([stop.signal, request.signal, closing, gate.endedOf(request)]);
      const options = { tail, follow, signal };
      const agentLog = async () => {
        const guest = engine.guest(params.name);
        return readAgentLog(guest, await guest.logs("agent", signal), options); // asked now: a failure is still a reply
      };
      const pieces = source === "agent" ? await agentLog() : readLog(engine.logFiles(params.name)[source], options);
      return new Response(
        textStream(pieces, () => stop.abort()),
        {
          headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
        },
      );
    },
    {
      params: VmRef,
      query: LogQuery,
      detail: { summary: "Logs of a VM", tags: ["vms"], ...textReply("text/plain", "The log as it stands") },
    },
  );
}

/** Pulled, so that a reader who stops holds up the reading, not the memory. An abort ends it like the end of the file. */
function textStream(pieces: AsyncIterable<Uint8Array | string>, stop: () => void) {
  const iterator = pieces[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array | string>({
    async pull(controller) {
      const next = await iterator.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      stop();
      await iterator.return?.();
    },
  });
}

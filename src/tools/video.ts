import * as v from "valibot";
import {
  FileName,
  HypeError,
  type Recording,
  RECORDING_TYPES,
  StartRecording,
  StopRecording,
} from "../contract/index.ts";
import type { Guest } from "../guest/guest.ts";
import { artifactLink } from "./artifacts.ts";
import { onPage, unlisted, vm } from "./fields.ts";
import { line } from "./markdown.ts";
import { onBrowser, onTab, untilDisposed } from "./on-tab.ts";
import { family } from "./tool.ts";

const tool = family("observe");
const TIMEOUT_MS = 60_000;
const seconds = (ms: number): string => (ms / 1_000).toFixed(1);

export const videoTools = [
  tool({
    name: "browser_start_video",
    title: "Record a video",
    description: "Begins to film your tab; browser_stop_video ends it and keeps the file on the host.",
    input: v.strictObject({
      ...onPage,
      max_seconds: v.optional(v.pipe(StartRecording.entries.max_seconds.wrapped, v.description("Ends then; 600"))),
      format: v.optional(v.picklist(["webm", "mkv"]), "webm"),
      size: unlisted(v.object({ width: StartRecording.entries.max_width, height: StartRecording.entries.max_height })),
      fps: unlisted(StartRecording.entries.fps.pipe[0].wrapped),
    }),
    output: v.object({ id: v.string() }),
    handle: ({ vm: ref, tab, size, fps, ...wanted }, context) =>
      onTab(context, { vm: ref, tab }, async (on) => {
        const pictures = { ...(size && { max_width: size.width, max_height: size.height }), ...(fps && { fps }) };
        const request = v.parse(StartRecording, { ...wanted, ...pictures, tab: on.tab });
        const { id } = await on.guest.recordings.start(request, on.signal);
        return { text: `Recording ${id} of tab ${on.tab} runs.`, structured: { id } };
      }),
  }),
  tool({
    name: "browser_stop_video",
    title: "Keep a video",
    description: "Ends a recording and keeps its file on the host as an artifact, where it outlives the VM.",
    input: v.strictObject({
      vm,
      id: v.optional(v.pipe(StopRecording.entries.id.pipe[0].wrapped, v.description("Default: the only one"))),
      name: v.optional(FileName),
    }),
    output: v.object({ artifact: v.string(), ended_by: v.nullable(v.string()) }),
    handle: ({ vm: ref, id, name }, context) =>
      onBrowser(context, ref, async (guest, signal) => {
        const { recordings } = guest;
        const wanted = id ?? (await onlyOne(guest, signal)).id;
        const made = await recordings.stop({ id: wanted, timeout_ms: TIMEOUT_MS }, signal);
        const { name: of } = context.house.get(ref);
        using reading = untilDisposed();
        const stop = AbortSignal.any([signal, reading.signal]);
        const { bytes } = await recordings.read({ id: made.id, from: 0 }, stop);
        const kept = await context.house.keep(ref, {
          kind: "recording",
          name: name ?? `${of}-${made.id.slice(0, 8)}.${made.format}`,
          contentType: RECORDING_TYPES[made.format],
          bytes,
          fileId: made.id,
        });
        // It lies in the guest's memory; one that cannot be deleted goes with the VM.
        await recordings.delete({ id: made.id, timeout_ms: TIMEOUT_MS }, signal).catch(() => {});
        const how =
          made.ended_by === "stop" || made.ended_by === null ? "" : ` It had ended by itself: ${made.ended_by}.`;
        return {
          text: `Kept ${seconds(made.duration_ms)} s, ${made.frames} pictures, as artifact ${kept.id} (${line(kept.name, 200)}, ${kept.size_bytes} bytes).${how}`,
          structured: { artifact: kept.id, ended_by: made.ended_by },
          links: [artifactLink(kept)],
        };
      }),
  }),
];

/** The recording that is meant where none is named: the one that runs, else the only one there is. @throws HypeError recording_not_found | recording_conflict */
async function onlyOne({ recordings }: Guest, signal: AbortSignal): Promise<Recording> {
  const { items } = await recordings.list({ timeout_ms: TIMEOUT_MS }, signal);
  const running = items.filter(({ state }) => state === "recording");
  const [found, ...others] = running.length > 0 ? running : items;
  if (!found) throw new HypeError("recording_not_found", "nothing was recorded: browser_start_video begins");
  if (others.length === 0) return found;
  const ids = [found, ...others].slice(-20).map((it) => it.id);
  throw new HypeError(
    "recording_conflict",
    `there are ${others.length + 1} recordings: give one's id: ${ids.join(", ")}`,
  );
}

import { keepDownload, keepRecording } from "./keep.ts";
import type { Files } from "./keeper.ts";

/** Downloads, whoever began them. */
export const DOWNLOADS: Files = {
  kind: "download",
  async *ids(guest, signal) {
    for await (const { id } of guest.downloads.completed(signal)) yield id;
  },
  keep: (parts, vm, id, signal) => keepDownload(parts, vm, parts.engine.guest(vm.id), id, signal, { byPolicy: true }),
};

/** Films that ended by themselves. One that somebody stopped is kept, or not, as that call says. */
export const RECORDINGS: Files = {
  kind: "recording",
  async *ids(guest, signal) {
    for await (const { id, ended_by } of guest.recordings.finished(signal)) if (ended_by !== "stop") yield id;
  },
  keep: (parts, vm, id, signal) => keepRecording(parts, vm, parts.engine.guest(vm.id), id, signal),
};

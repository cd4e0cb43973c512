import type { Source } from "../../artifacts/files.ts";
import {
  type Artifact,
  type ArtifactKind,
  HypeError,
  type KeepQuery,
  RECORDING_TYPES,
  type Vm,
} from "../../contract/index.ts";
import type { Guest } from "../../guest/guest.ts";
import type { ServerContext } from "../context.ts";

/** What of an operation's result is kept. */
export type KeptFile = {
  contentType: string;
  /** Of its name: ".png" */ ending: string;
  bytes: Source;
  /** Of a file that lies in the guest, and is kept once only: its id there. */
  fileId?: string;
};
type Parts = Pick<ServerContext, "engine" | "artifacts">;

/** Whether the caller asks for it, or else the VM's policy. */
export const isKept = (vm: Vm, kind: ArtifactKind, { keep, keep_as }: KeepQuery): boolean =>
  keep === "true" || (keep === undefined && (keep_as !== undefined || vm.keep.some((kept) => kept === kind)));

/**
 * Keeps what a browser gave. A caller that asked for it, or a policy, wants it kept: what cannot be is an error, also where the result is
 * at hand.
 * @throws HypeError artifact_quota_exceeded | disk_full | vm_not_running (the VM ended before the last byte)
 */
export async function keepFile(
  { engine, artifacts }: Parts,
  vm: Vm,
  kind: ArtifactKind,
  name: string | undefined,
  { contentType, ending, bytes, fileId }: KeptFile,
): Promise<Artifact> {
  const of = fileId === undefined ? {} : { fileId, isNamed: name !== undefined };
  const what = { kind, name: name ?? `${vm.name}-${stamp()}${ending}`, contentType, vm, ...of };
  if (bytes instanceof Uint8Array) return await artifacts.keep(what, bytes); // at hand, whatever becomes of the VM
  return await unlessGone(engine, vm, () => artifacts.keep(what, bytes));
}

/** 20260102T030405: sorts by time, and is a file name everywhere. */
const stamp = (): string => new Date().toISOString().slice(0, 19).replace(/[-:]/g, "");

/**
 * Pulls a download out of its VM, one in progress as it arrives. Its name and type are the guest's word; its bytes are held against the
 * hash the guest told, so that a part never passes for the whole.
 * @param options.byPolicy notes it, so that the policy does not keep it again
 * @throws HypeError download_not_found | download_gone | guest_unreachable | vm_not_running | artifact_quota_exceeded | disk_full
 */
export async function keepDownload(
  { engine, artifacts }: Parts,
  vm: Vm,
  guest: Guest,
  id: string,
  signal: AbortSignal,
  options: { name?: string | undefined; byPolicy?: boolean } = {},
): Promise<Artifact> {
  const ask = { id, wait: false, timeout_ms: 10_000 };
  const download = await guest.downloads.get(ask, signal);
  const what = {
    kind: "download" as const,
    name: options.name ?? download.name,
    contentType: download.type,
    vm,
    ...(options.byPolicy ? { fileId: id, byPolicy: true } : {}),
  };
  return await unlessGone(engine, vm, async (gone) => {
    using wire = untilDisposed();
    const either = AbortSignal.any([signal, gone, wire.signal]);
    const { bytes } = await guest.downloads.read({ id, from: 0 }, either);
    return await artifacts.keep(what, bytes, async ({ sha256, size_bytes }) => {
      const ended = await guest.downloads.get(ask, either);
      if (ended.state === "completed" && ended.sha256 === sha256) return;
      throw new HypeError(
        "guest_unreachable",
        ended.state === "completed"
          ? `the ${size_bytes} bytes that came are not those the guest has told the hash of: nothing was kept`
          : `the download ${id} is ${ended.state}: nothing was kept`,
      );
    });
  });
}

/**
 * Pulls a finished film out of its VM, as the VM's policy says: none that was kept before, not even one that was deleted since.
 * @throws HypeError recording_not_found | guest_unreachable | vm_not_running | artifact_quota_exceeded | disk_full
 */
export async function keepRecording(
  { engine, artifacts }: Parts,
  vm: Vm,
  guest: Guest,
  id: string,
  signal: AbortSignal,
): Promise<Artifact> {
  const { format, bytes: size } = await guest.recordings.get({ id, wait: false, timeout_ms: 10_000 }, signal);
  const name = `${vm.name}-${stamp()}.${format}`;
  const of = { kind: "recording" as const, name, contentType: RECORDING_TYPES[format], vm, fileId: id, byPolicy: true };
  return await unlessGone(engine, vm, async (gone) => {
    using wire = untilDisposed();
    const { bytes } = await guest.recordings.read({ id, from: 0 }, AbortSignal.any([signal, gone, wire.signal]));
    return await artifacts.keep(of, bytes, ({ size_bytes }) => {
      if (size_bytes === size) return;
      throw new HypeError("guest_unreachable", `${size_bytes} bytes came of the ${size} it has: nothing was kept`);
    });
  });
}

/** A signal that fires when its scope is left: what was opened and never read is closed with it. */
export function untilDisposed(): Disposable & { signal: AbortSignal } {
  const scope = new AbortController();
  return { signal: scope.signal, [Symbol.dispose]: () => scope.abort() };
}

/** Where the VM ends meanwhile, that is the reason, not the wire that broke with it. */
async function unlessGone<T>(engine: Parts["engine"], vm: Vm, work: (gone: AbortSignal) => Promise<T>): Promise<T> {
  const gone = engine.whenGone(vm.id).signal;
  try {
    return await work(gone);
  } catch (thrown) {
    if (gone.aborted && thrown instanceof HypeError && ["cancelled", "guest_unreachable"].includes(thrown.code))
      throw gone.reason;
    throw thrown;
  }
}

import type { Client } from "../../client/types.ts";
import { type Entry, type LogSource, messageOf } from "../../contract/index.ts";
import { AT_END, AT_START, type Detail, emptyDetail } from "../state/detail.ts";
import { Lines } from "../state/lines.ts";
import type { Pane } from "../state/state.ts";
import type { Store } from "../state/store.ts";
import { pause } from "./pause.ts";

const LIST_MS = 2_000;
const PICTURE_MS = 2_000;
/** A guest under load takes long; a picture that comes later than this is of no use. */
const PICTURE_TIMEOUT_MS = 10_000;
const PICTURE_QUALITY = 60;
/** So often it is looked whether the picture is seen again: no question to anybody, milliseconds. */
const SEEN_MS = 100;
const LOG_LINES = 1_000;
const RETRY_MS = { first: 500, last: 10_000 };
/** Their logs come to an end. */
const ENDED: ReadonlySet<string> = new Set(["stopped", "crashed", ""]);
const ENTRIES_PAGE = 500;
const MOST_ENTRIES = 500;
/** Text that comes in a burst is shown together. */
const BURST_MS = 50;

type Look = { client: Client; store: Store; vmId: string; signal: AbortSignal };

/** Fetches what the pane on the screen shows, and stops as soon as it is left. */
export class DetailFeed implements Disposable {
  readonly #client: Client;
  readonly #store: Store;
  readonly #unsubscribe: () => void;
  #shown = "";
  #stop = new AbortController();

  constructor(client: Client, store: Store) {
    this.#client = client;
    this.#store = store;
    this.#unsubscribe = store.subscribe(() => this.#follow());
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
    this.#stop.abort();
  }

  #follow(): void {
    const { screen, vms, detail } = this.#store.state;
    const vm = screen.name === "vm" ? vms.get(screen.vmId) : undefined;
    const source = detail?.vmId === vm?.id ? detail?.logSource : "agent";
    // Another guest has other tabs: a restart begins anew.
    const shown = screen.name === "vm" && vm ? `${vm.id} ${vm.generation} ${vm.status} ${screen.pane} ${source}` : "";
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#stop.abort();
    if (screen.name !== "vm" || !vm) return;
    const { signal } = (this.#stop = new AbortController());
    const look: Look = { client: this.#client, store: this.#store, vmId: vm.id, signal };
    this.#store.update((state) => {
      if (state.detail?.vmId !== vm.id) state.detail = emptyDetail(vm.id);
      const isLines = screen.pane === "console" || screen.pane === "logs";
      Object.assign(state.detail, { lines: null, problem: null, scroll: isLines ? AT_END : AT_START });
    });
    for (const work of WORK[screen.pane]) if (vm.status === "running" || !work.needsGuest) void work.run(look);
  }
}

/** Changes the detail, unless another VM is looked at by now. */
function note({ store, vmId, signal }: Look, change: (detail: Detail) => void): void {
  if (signal.aborted) return;
  store.update(({ detail }) => {
    if (detail?.vmId === vmId) change(detail);
  });
}

/** Asks again and again while the pane is visible. What goes wrong is shown in the pane; the next try may do better. */
const repeated =
  <T>(everyMs: number, ask: (look: Look) => Promise<T>, take: (detail: Detail, answer: T) => void) =>
  async (look: Look): Promise<void> => {
    for (; !look.signal.aborted; await pause(everyMs, look.signal)) {
      try {
        const answer = await ask(look);
        note(look, (detail) => {
          detail.problem = null;
          take(detail, answer);
        });
      } catch (thrown) {
        note(look, (detail) => void (detail.problem = messageOf(thrown)));
      }
    }
  };

const tabs = repeated(
  LIST_MS,
  ({ client, vmId, signal }) => client.browser.tabs(vmId, { signal }),
  (detail, { items }) => void (detail.tabs = items),
);
const egress = repeated(
  LIST_MS,
  ({ client, vmId, signal }) => client.vms.egress(vmId, { signal }),
  (detail, answer) => void (detail.egress = answer),
);
/** The newest requests that were recorded: only what is new, or has changed, is asked for. */
const requests = async (look: Look): Promise<void> => {
  const kept = new Map<string, Entry>();
  let after = 0;
  const ask = async ({ client, vmId, signal }: Look) => {
    for (let isMore = true; isMore;) {
      const wanted = { kinds: ["request" as const], after, limit: ENTRIES_PAGE };
      const answer = await client.browser.operate(vmId, "list-entries", wanted, { signal });
      if (answer.after < after) kept.clear(); // another agent counts anew
      for (const entry of answer.items) {
        kept.delete(entry.id);
        kept.set(entry.id, entry);
      }
      for (const id of [...kept.keys()].slice(0, -MOST_ENTRIES)) kept.delete(id);
      isMore = answer.items.length === ENTRIES_PAGE || answer.after < after;
      after = answer.after < after ? 0 : answer.after;
    }
    return [...kept.values()];
  };
  await repeated(LIST_MS, ask, (detail, entries) => void (detail.entries = entries))(look);
};
const artifacts = repeated(
  LIST_MS,
  ({ client, vmId, signal }) => client.artifacts.list({ vm: vmId, limit: 200 }, { signal }),
  (detail, { items }) => void (detail.artifacts = items),
);
const picture = repeated(
  PICTURE_MS,
  async ({ client, store, vmId, signal }) => {
    while (!store.state.detail?.pageSeen && !signal.aborted) await pause(SEEN_MS, signal);
    const wanted = { format: "jpeg", quality: PICTURE_QUALITY, timeout_ms: PICTURE_TIMEOUT_MS } as const;
    return await client.browser.screenshot(vmId, wanted, { signal });
  },
  (detail, bytes) => {
    // The same picture is not drawn again: some terminals flicker.
    const same = detail.picture !== null && Buffer.compare(detail.picture.bytes, bytes) === 0;
    detail.picture = { bytes: same ? detail.picture!.bytes : bytes, atMs: Date.now() };
  },
);

/** Follows one of the VM's logs, the console or the one that is chosen; when it breaks off its end is asked for anew. */
const lines =
  (which: "console" | "chosen") =>
  async (look: Look): Promise<void> => {
    const { store, vmId, signal } = look;
    const source = which === "console" ? which : (store.state.detail?.logSource ?? "agent");
    for (let waitMs = RETRY_MS.first; !signal.aborted; waitMs = Math.min(waitMs * 2, RETRY_MS.last)) {
      try {
        await readLog(look, source, () => void (waitMs = RETRY_MS.first));
      } catch (thrown) {
        note(look, (detail) => void (detail.problem = messageOf(thrown)));
      }
      if (ENDED.has(store.state.vms.get(vmId)?.status ?? "")) return;
      await pause(waitMs, signal);
    }
  };

async function readLog(look: Look, source: LogSource, onPiece: () => void): Promise<void> {
  const { client, vmId, signal } = look;
  const kept = new Lines();
  note(look, (detail) => void (detail.lines ??= kept));
  let timer: ReturnType<typeof setTimeout> | undefined;
  let dropped = 0;
  const show = () => {
    timer = undefined;
    note(look, (detail) => {
      if (kept.all().length > 0) detail.lines = kept;
      detail.problem = null;
      // What is read stays where it is while the beginning goes.
      const { scroll } = detail;
      const top = Math.max(0, scroll.top - dropped);
      const row = scroll.top < dropped ? 0 : scroll.row;
      detail.scroll = { ...scroll, top, row, at: Math.max(-1, scroll.at - dropped) };
      dropped = 0;
    });
  };
  try {
    for await (const piece of client.vms.logs(vmId, { source, tail: LOG_LINES, follow: true, signal })) {
      onPiece();
      dropped += kept.push(piece);
      timer ??= setTimeout(show, BURST_MS);
    }
  } finally {
    clearTimeout(timer);
    if (timer !== undefined) show();
  }
}

type Work = { needsGuest: boolean; run(look: Look): Promise<void> };
const ofGuest = (run: Work["run"]): Work => ({ needsGuest: true, run });
const ofHost = (run: Work["run"]): Work => ({ needsGuest: false, run });

const WORK: Record<Pane, readonly Work[]> = {
  overview: [ofGuest(tabs), ofGuest(picture)],
  tabs: [ofGuest(tabs), ofGuest(picture)],
  console: [ofHost(lines("console"))],
  logs: [ofHost(lines("chosen"))],
  network: [ofHost(egress), ofGuest(requests)],
  events: [],
  artifacts: [ofHost(artifacts)],
  configuration: [],
};

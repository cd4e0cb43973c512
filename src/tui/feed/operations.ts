import type { Client } from "../../client/types.ts";
import { type CreateVmInput, HypeError, messageOf, type Vm } from "../../contract/index.ts";
import { plural } from "../../text/units.ts";
import { applyVm } from "../state/apply.ts";
import type { Choice } from "../state/overlays.ts";
import type { Store } from "../state/store.ts";

/** What a person may want to undo right after, and what undoes it. */
const UNDONE_BY = { start: "stop", stop: "start", pause: "resume", resume: "pause" } as const;
type Undoable = keyof typeof UNDONE_BY;

/** What is done to VMs. Several at once; what fails says so in a message that stays. */
export class Operations {
  readonly #client: Client;
  readonly #store: Store;
  readonly #over: AbortSignal;
  #last: { action: Undoable; ids: string[] } | null = null;

  /** @param over fires when another server is on the screen: what this one still says is of no interest then */
  constructor(client: Client, store: Store, over: AbortSignal) {
    this.#client = client;
    this.#store = store;
    this.#over = over;
  }

  get #call(): { signal: AbortSignal } {
    return { signal: this.#over };
  }

  start = (vms: readonly Vm[]) => this.#undoable("start", vms, "starting", "started");
  stop = (vms: readonly Vm[]) => this.#undoable("stop", vms, "stopping", "stopped");
  pause = (vms: readonly Vm[]) => this.#undoable("pause", vms, "pausing", "paused");
  resume = (vms: readonly Vm[]) => this.#undoable("resume", vms, "resuming", "resumed");
  restart = (vms: readonly Vm[]) =>
    this.#each(vms, "restarting", "restarted", ({ id }) => this.#client.vms.restart(id, this.#call));
  delete = (vms: readonly Vm[]) =>
    this.#each(vms, "deleting", "deleted", async ({ id }) => {
      await this.#client.vms.delete(id, this.#call);
      return null;
    });

  /** Takes the last start, stop, pause or resume back. */
  async undo(): Promise<void> {
    const last = this.#last;
    if (!last) return this.#store.toast("info", "nothing to undo: only start, stop, pause and resume can be");
    this.#last = null;
    await this[UNDONE_BY[last.action]](last.ids.flatMap((id) => this.#store.state.vms.get(id) ?? []));
  }

  /** @param refused is told why, when nothing was made */
  async create(input: CreateVmInput, made: (vm: Vm) => void, refused: (why: string) => void): Promise<void> {
    try {
      const vm = await this.#client.vms.create(input, { wait: false, ...this.#call });
      this.#store.update((state) => {
        applyVm(state, vm.id, vm);
        state.fleet.cursor = vm.id;
      });
      made(vm);
    } catch (thrown) {
      if (!this.#over.aborted) refused(refusalOf(thrown));
    }
  }

  async open(vm: Vm, url: string): Promise<void> {
    await this.#tell(`${vm.name}: ${url}`, async () => {
      const page = await this.#client.browser.navigate(vm.id, { url }, this.#call);
      return `${vm.name} shows ${page.title || page.url}`;
    });
  }

  /** @param save writes the picture and says where */
  async screenshot(vm: Vm, save: (name: string, bytes: Uint8Array) => Promise<string>): Promise<void> {
    await this.#tell(`screenshot of ${vm.name}`, async () => {
      const bytes = await this.#client.browser.screenshot(vm.id, { format: "png" }, this.#call);
      return `screenshot saved: ${await save(vm.name, bytes)}`;
    });
  }

  /** @param copy hands the link to the terminal's clipboard */
  async liveLink(vm: Vm, copy: (text: string) => boolean): Promise<void> {
    await this.#tell(`live link of ${vm.name}`, async () => {
      const { url, expires_at } = await this.#client.live.createLink(vm.id, {}, this.#call);
      const isCopied = copy(url);
      this.#store.toast("info", url, true);
      return `live link ${isCopied ? "copied" : "made"}; good until ${expires_at.slice(11, 16)} UTC`;
    });
  }

  /** The URL of the DevTools with a token in it, which ends by itself. @param copy as above; the URL is not shown where that works */
  async cdpUrl(vm: Vm, copy: (text: string) => boolean): Promise<void> {
    await this.#tell(`CDP URL of ${vm.name}`, async () => {
      const { ws_url, expires_at } = await this.#client.vms.cdpToken(vm.id, {}, this.#call);
      if (!copy(ws_url)) this.#store.toast("info", ws_url, true);
      return `CDP URL with its token; good until ${expires_at.slice(11, 16)} UTC`;
    });
  }

  async observe(vm: Vm): Promise<void> {
    await this.#tell(`recording ${vm.name}`, async () => {
      await this.#client.browser.operate(vm.id, "start-observing", {}, this.#call);
      return `${vm.name}: requests, console, exceptions and sockets are recorded`;
    });
  }

  /** What the form of a new VM offers; nothing where the key may not ask. */
  async choices(): Promise<{ images: Choice[]; profiles: Choice[] }> {
    const [images, profiles] = await Promise.all([
      this.#client.images.list(this.#call).catch(() => ({ items: [] })),
      this.#client.profiles.list(this.#call).catch(() => ({ items: [] })),
    ]);
    return {
      images: images.items.map(({ id, is_default, chromium_version, created_at }) => ({
        value: id,
        note: `Chromium ${chromium_version}, ${created_at.slice(0, 10)}${is_default ? ", default" : ""}`,
      })),
      profiles: profiles.items.map(({ name, cookies, updated_at }) => ({
        value: name,
        note: `${plural(cookies, "cookie")}, ${updated_at.slice(0, 10)}`,
      })),
    };
  }

  #undoable(action: Undoable, vms: readonly Vm[], doing: string, done: string): Promise<void> {
    const last: { action: Undoable; ids: string[] } = { action, ids: [] };
    return this.#each(vms, doing, done, async ({ id }) => {
      const vm = await this.#client.vms[action](id, this.#call);
      last.ids.push(id); // what failed is not undone
      this.#last = last;
      return vm;
    });
  }

  /** One thing; its end is told in the corner. */
  async #tell(what: string, work: () => Promise<string>): Promise<void> {
    try {
      this.#store.toast("good", await work());
    } catch (thrown) {
      if (!this.#over.aborted) this.#store.toast("bad", `${what}: ${messageOf(thrown)}`, true);
    }
  }

  async #each(vms: readonly Vm[], doing: string, done: string, work: (vm: Vm) => Promise<Vm | null>): Promise<void> {
    const failed: string[] = [];
    await Promise.all(
      vms.map(async (vm) => {
        this.#store.update(({ busy }) => busy.set(vm.id, doing));
        try {
          const changed = await work(vm);
          this.#store.update((state) => applyVm(state, vm.id, changed));
        } catch (thrown) {
          failed.push(`${vm.name}: ${messageOf(thrown)}`);
        } finally {
          this.#store.update(({ busy }) => void busy.delete(vm.id));
        }
      }),
    );
    if (this.#over.aborted) return;
    const succeeded = vms.length - failed.length;
    const name = vms.length === 1 ? vms[0]!.name : `${succeeded} VMs`;
    if (succeeded > 0) this.#store.toast("good", `${name} ${done}`);
    if (failed.length > 0) this.#store.toast("bad", failed.join("; "), true);
  }
}

/** What the server says of a request that is not valid names its fields. */
function refusalOf(thrown: unknown): string {
  const issues = thrown instanceof HypeError ? thrown.details.issues : undefined;
  return [messageOf(thrown), ...(Array.isArray(issues) ? issues.map((issue) => JSON.stringify(issue)) : [])].join(" ");
}

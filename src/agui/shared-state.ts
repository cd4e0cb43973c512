import type { JsonPatch } from "@ag-ui/core";
import type { PageShown, SystemStatus, Vm, VmEvent, VmStatus } from "../contract/index.ts";
import type { House } from "../tools/house.ts";
import { line } from "../tools/markdown.ts";

/** A VM as a front end watches it. Fields of the contract, under their own names. */
export type VmState = {
  status: VmStatus;
  status_reason: string | null;
  ip_address: string;
  cpu_cores: number;
  memory_mb: number;
  /** The page in the tab in use; null: unknown, or not this key's to know. */
  url: string | null;
  title: string | null;
  /** The person who has the browser in hand; null: nobody. */
  control: Vm["control"];
};

export type NodeState = {
  version: string;
  hypervisor: string | null;
  accelerator: string | null;
  network: string;
  cpu_cores: number;
  memory_total_mb: number;
  vms_total: number;
  vms_by_status: Partial<Record<VmStatus, number>>;
};

/** What a run shares with its reader: an object keyed by name, so that pointers stay what they are. */
export type State = { vms: Record<string, VmState>; node: NodeState };

type Page = Pick<PageShown, "url" | "title">;
/** The pages that VMs show, by name of the VM, as far as they are known. */
export type PagesNow = () => ReadonlyMap<string, Page>;

const PAGE_ROWS = 1000;
const URL_CHARACTERS = 2_048;

/** A reference token of a JSON pointer (RFC 6901, section 3). */
export const token = (text: string): string => text.replaceAll("~", "~0").replaceAll("/", "~1");

/**
 * The state of one run, and the patches that keep its reader's copy equal to it. Each change is derived from the rows as they are when it
 * is told of, so an event of a VM that is long gone, or came back under its name, does no harm.
 */
export class SharedState {
  readonly #vms = new Map<string, VmState>();
  /** Pages that were just seen, and what was known instead: they count until something else is told. */
  readonly #seen = new Map<string, { page: Page; instead: Page | undefined }>();
  #node: NodeState;

  /** @param only the name of the one VM that is watched; null: all the caller sees */
  constructor(
    private readonly house: House,
    private readonly pages: PagesNow,
    private readonly only: string | null = null,
  ) {
    const shown = pages();
    for (const vm of this.#rows()) this.#vms.set(vm.name, stateOf(vm, shown.get(vm.name)));
    this.#node = this.#nodeState(house.status());
  }

  snapshot(): State {
    return { vms: Object.fromEntries(this.#vms), node: this.#node };
  }

  has(name: string): boolean {
    return this.#vms.has(name);
  }
  get(name: string): VmState | undefined {
    return this.#vms.get(name);
  }
  names(): string[] {
    return [...this.#vms.keys()];
  }

  /** What an event changed; empty where it changed nothing that is shown. */
  note({ vm_name: name }: Pick<VmEvent, "vm_name">): JsonPatch {
    return this.look(name);
  }

  /** Looks at one VM again. */
  look(name: string): JsonPatch {
    if (this.only !== null && name !== this.only) return [];
    const before = this.#vms.get(name);
    const row = this.#row(name);
    const path = `/vms/${token(name)}`;
    if (!row) {
      if (!before) return [];
      this.#vms.delete(name);
      return [{ op: "remove", path }, ...this.#nodePatch()];
    }
    if (row.status !== "running") this.#seen.delete(name);
    const after = stateOf(row, this.#pageOf(name, this.pages()));
    this.#vms.set(name, after);
    if (!before) return [{ op: "add", path, value: after }, ...this.#nodePatch()];
    const patch: JsonPatch = [];
    for (const field of Object.keys(after) as (keyof VmState)[])
      if (!same(before[field], after[field]))
        patch.push({ op: "replace", path: `${path}/${field}`, value: after[field] });
    return before.status === after.status ? patch : [...patch, ...this.#nodePatch()];
  }

  /** Looks at the pages of all VMs again: no event tells of them. */
  lookAtPages(): JsonPatch {
    const shown = this.pages();
    return [...this.#vms.keys()].flatMap((name) => this.#pagePatch(name, this.#pageOf(name, shown)));
  }

  /** A page that was just seen, sooner than it is told of. */
  show(name: string, page: Page): JsonPatch {
    const shown = { url: line(page.url, URL_CHARACTERS), title: line(page.title) };
    this.#seen.set(name, { page: shown, instead: this.pages().get(name) });
    return this.#pagePatch(name, shown);
  }

  #pageOf(name: string, shown: ReadonlyMap<string, Page>): Page | undefined {
    const told = shown.get(name);
    const seen = this.#seen.get(name);
    if (seen && told?.url === seen.instead?.url && told?.title === seen.instead?.title) return seen.page;
    this.#seen.delete(name);
    return told;
  }

  #pagePatch(name: string, page: Page | undefined): JsonPatch {
    const known = this.#vms.get(name);
    if (!known || known.status !== "running") return [];
    const patch: JsonPatch = [];
    for (const field of ["url", "title"] as const) {
      const value = page?.[field] ?? null;
      if (known[field] === value) continue;
      known[field] = value;
      patch.push({ op: "replace", path: `/vms/${token(name)}/${field}`, value });
    }
    return patch;
  }

  #row(name: string): Vm | null {
    try {
      const vm = this.house.get(name);
      return vm.name === name ? vm : null; // a ref may be an id, too
    } catch {
      return null;
    }
  }

  #rows(): Vm[] {
    if (this.only !== null) return [this.#row(this.only)].filter((vm) => vm !== null);
    const rows: Vm[] = [];
    for (;;) {
      const { items, total } = this.house.list({
        sort: "name",
        limit: String(PAGE_ROWS),
        offset: String(rows.length),
      });
      rows.push(...items);
      if (items.length === 0 || rows.length >= total) return rows;
    }
  }

  #nodeState({ version, hypervisor, network, host }: SystemStatus): NodeState {
    return {
      version,
      hypervisor: hypervisor.name,
      accelerator: hypervisor.accelerator,
      network: network.mode,
      cpu_cores: host.cpu_cores,
      memory_total_mb: host.memory_total_mb,
      ...this.#counts(),
    };
  }

  #counts(): Pick<NodeState, "vms_total" | "vms_by_status"> {
    const byStatus: Partial<Record<VmStatus, number>> = {};
    for (const { status } of this.#vms.values()) byStatus[status] = (byStatus[status] ?? 0) + 1;
    return { vms_total: this.#vms.size, vms_by_status: byStatus };
  }

  #nodePatch(): JsonPatch {
    const counts = this.#counts();
    const patch: JsonPatch = [];
    for (const field of ["vms_total", "vms_by_status"] as const)
      if (!same(this.#node[field], counts[field]))
        patch.push({ op: "replace", path: `/node/${field}`, value: counts[field] });
    this.#node = { ...this.#node, ...counts };
    return patch;
  }
}

function stateOf(vm: Vm, page: Page | undefined): VmState {
  const shown = vm.status === "running" ? page : undefined;
  return {
    status: vm.status,
    status_reason: vm.status_reason,
    ip_address: vm.ip_address,
    cpu_cores: vm.cpu_cores,
    memory_mb: vm.memory_mb,
    url: shown?.url ?? null,
    title: shown?.title ?? null,
    control: vm.control,
  };
}

const same = (left: unknown, right: unknown): boolean =>
  left === right || JSON.stringify(left) === JSON.stringify(right);

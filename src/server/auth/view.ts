import { HypeError, type KeyRestriction, type Vm, type VmEvent } from "../../contract/index.ts";
import type { EngineApi } from "../../engine/types.ts";

type Described = Pick<Vm, "name" | "labels">;

/** Verdicts remembered per key; a VM's name and labels never change. */
const REMEMBERED = 10_000;

/** `*` stands for any text, none included. Never backtracks further than the last star: a pattern cannot make it slow. */
export function matchesPattern(name: string, pattern: string): boolean {
  let at = 0;
  let next = 0;
  let star = -1;
  let retry = 0;
  while (at < name.length) {
    if (pattern[next] === "*") {
      star = next++;
      retry = at;
    } else if (pattern[next] === name[at]) {
      next++;
      at++;
    } else if (star >= 0) {
      next = star + 1;
      at = ++retry;
    } else return false;
  }
  while (pattern[next] === "*") next++;
  return next === pattern.length;
}

/** What a restricted key sees: its VMs. All others do not exist for it. */
export class View {
  readonly #verdicts = new Map<string, boolean>();
  constructor(private readonly restriction: KeyRestriction) {}

  allows(vm: Described): boolean {
    const { labels } = this.restriction;
    return (
      this.#allowsName(vm.name) &&
      Object.keys(labels).every((key) => Object.hasOwn(vm.labels, key) && vm.labels[key] === labels[key])
    );
  }

  /** @throws HypeError vm_not_found in the engine's own words, so that nobody learns which names are taken */
  mustSee(vm: Described, ref: string): void {
    if (!this.allows(vm)) throw new HypeError("vm_not_found", `there is no VM ${ref}`, { vm: ref });
  }

  /** @throws HypeError forbidden */
  mustCreate(vm: Described): void {
    if (this.allows(vm)) return;
    const { vms, labels } = this.restriction;
    const wanted = [
      ...(vms.length > 0 ? [`named ${vms.join(" or ")}`] : []),
      ...(Object.keys(labels).length > 0
        ? [
            `labelled ${Object.entries(labels)
              .map(([key, value]) => `${key}=${value}`)
              .join(", ")}`,
          ]
        : []),
    ];
    throw new HypeError("forbidden", `this key may only create VMs ${wanted.join(" and ")}`);
  }

  /** Whether an event tells of one of its VMs, living or deleted. Of a deleted one the labels stand in its VM_CREATED. */
  allowsEvent({ vm_id: id, vm_name: name }: Pick<VmEvent, "vm_id" | "vm_name">, engine: EngineApi): boolean {
    if (Object.keys(this.restriction.labels).length === 0) return this.#allowsName(name);
    let verdict = this.#verdicts.get(id);
    if (verdict === undefined) {
      if (this.#verdicts.size >= REMEMBERED) this.#verdicts.clear();
      verdict = this.allows({ name, labels: labelsOf(id, engine) });
      this.#verdicts.set(id, verdict);
    }
    return verdict;
  }

  #allowsName(name: string): boolean {
    const { vms } = this.restriction;
    return vms.length === 0 || vms.some((pattern) => matchesPattern(name, pattern));
  }
}

/** @returns null when the restriction restricts nothing. */
export const viewOf = (restriction: KeyRestriction | null): View | null =>
  restriction === null || (restriction.vms.length === 0 && Object.keys(restriction.labels).length === 0)
    ? null
    : new View(restriction);

function labelsOf(id: string, engine: EngineApi): Record<string, string> {
  try {
    return engine.get(id).labels;
  } catch {
    const [created] = engine.events({ vm: id, type: "VM_CREATED", limit: 1 }).items;
    return (created?.data.labels ?? {}) as Record<string, string>;
  }
}

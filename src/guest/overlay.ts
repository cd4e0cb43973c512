import {
  type AddRule,
  type Emulate,
  EmulationNow,
  type GetEmulation,
  type ListRules,
  type RemoveRules,
  type ResetEmulation,
  Rule,
  RuleList,
} from "../contract/index.ts";
import { asking, type Operate } from "./http.ts";

const MAX_BYTES = 8 * 1024 * 1024;

/** What lies over the tabs: emulation and interception. Throws as {@link Guest} does. */
export class GuestOverlay {
  readonly #ask: ReturnType<typeof asking>;

  constructor(private readonly operate: Operate) {
    this.#ask = asking(operate, MAX_BYTES);
  }

  /** @throws HypeError `emulation_refused` | `tab_not_found` */
  emulate(request: Emulate, signal?: AbortSignal): Promise<EmulationNow> {
    return this.#ask("emulate", request, EmulationNow, signal);
  }
  emulation(request: GetEmulation, signal?: AbortSignal): Promise<EmulationNow> {
    return this.#ask("get-emulation", request, EmulationNow, signal);
  }
  resetEmulation(request: ResetEmulation, signal?: AbortSignal): Promise<EmulationNow> {
    return this.#ask("reset-emulation", request, EmulationNow, signal);
  }
  /** @throws HypeError `limit_reached` | `tab_not_found` */
  addRule(request: AddRule, signal?: AbortSignal): Promise<Rule> {
    return this.#ask("add-rule", request, Rule, signal);
  }
  rules(request: ListRules, signal?: AbortSignal): Promise<RuleList> {
    return this.#ask("list-rules", request, RuleList, signal);
  }
  /** @throws HypeError `rule_not_found` */
  async removeRules(request: RemoveRules, signal?: AbortSignal): Promise<void> {
    await this.operate("remove-rules", request, MAX_BYTES, signal);
  }
}

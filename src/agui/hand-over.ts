import type { Interrupt } from "@ag-ui/core";
import type { AguiOperation } from "../contract/agui.ts";
import { HypeError, type Vm } from "../contract/index.ts";
import { line } from "../tools/markdown.ts";
import type { ToolResult } from "../tools/tool.ts";
import type { Run } from "./services.ts";

/** What the model or the program asked of the person, characters. */
const REASON_CHARACTERS = 500;

/** The operation gave the browser into a person's hands: the run waits for their word, and has the link for them alone. */
export function handedOver(
  { caller, services, input: { threadId } }: Run,
  operation: AguiOperation,
  input: Record<string, unknown>,
  { structured = {} }: ToolResult,
  waiting: { toolCallId: string; rest: AguiOperation[] | null },
): Interrupt {
  const vm = caller.house.get(String(input.vm)).name;
  const reason = typeof input.reason === "string" ? `: ${line(input.reason, REASON_CHARACTERS)}` : "";
  return services.interrupts.ask(
    { caller: caller.key.id, threadId, vm: caller.preset },
    { ...waiting, operation, why: "handed", confirmed: false, forced: false },
    `The browser of ${vm} is yours${reason}. Open the link, give the browser back when you are done, and approve.`,
    { vm, url: structured.url, expires_at: structured.expires_at },
  );
}

/**
 * The end of a hand-over: given back already, or taken back by the person's word.
 * @param isApproved false: they declined; the browser is taken back only if nobody took it up
 * @returns what the caller is told
 */
export function takeBack(
  { caller: { house, preset }, state, writer }: Run,
  { arguments: given }: AguiOperation,
  isApproved: boolean,
): string {
  const ref = String(given.vm ?? preset);
  let vm: Vm;
  try {
    vm = house.get(ref);
    const isTaken = vm.control !== null && (vm.control.link !== null || vm.control.label !== null);
    if (vm.control !== null && (isApproved || !isTaken)) house.returnControl(ref);
  } catch (thrown) {
    if (thrown instanceof HypeError) return `${line(ref, 64)} cannot be gone on with: ${thrown.message}`;
    throw thrown;
  }
  writer.stateDelta(state.look(vm.name));
  return `The user is done and gave the browser of ${vm.name} back. Take a new snapshot: the page may be another.`;
}

import type { Client } from "../../client/types.ts";
import { HypeError } from "../../contract/errors.ts";
import type { CreateVmInput, Vm } from "../../contract/vm.ts";
import type { Progress } from "../output/progress.ts";
import { waitRunning } from "./follow.ts";

/**
 * Creates a VM and waits until it is usable. An abort deletes the half-made VM, by its id: a name alone might be another's,
 * which is also why the request for it is always awaited.
 * @throws HypeError whatever the server refused or the boot failed with; `cancelled` once an abort was tidied up
 */
export async function bootVm(
  client: Client,
  input: CreateVmInput,
  options: { progress: Progress; signal: AbortSignal },
): Promise<Vm> {
  const { progress, signal } = options;
  progress.step(`Creating ${input.name}`);
  const vm = await client.vms.create(input, { wait: false });
  try {
    signal.throwIfAborted();
    return await waitRunning(client, vm, progress, signal);
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    progress.step(`Removing ${vm.name}`);
    await deleteIfThere(client, vm.id);
    progress.done(`Removed ${vm.name}`);
    throw new HypeError("cancelled", `creating ${vm.name} was cancelled; nothing of it is left`);
  }
}

export async function deleteIfThere(client: Client, ref: string): Promise<void> {
  try {
    await client.vms.delete(ref);
  } catch (thrown) {
    if (!(thrown instanceof HypeError && thrown.code === "vm_not_found")) throw thrown;
  }
}

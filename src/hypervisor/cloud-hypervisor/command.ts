import { join } from "node:path";
import { VM_LOG_FILES } from "../../config/paths.ts";
import type { MachineSpec } from "../driver.ts";
import { EVENT_FD, FILE_LIMIT_BYTES, PROGRAM_ARGUMENTS, WORK_FILES } from "./facts.ts";

/**
 * The command that becomes the VMM, in its jail. A shell opens the guest's console as standard output and the event file as a
 * descriptor of its own, both for appending, and is then replaced by the program. Standard error, the program's log, stays the
 * server's file. Run it in the VM's working directory: paths are relative to it, the same for every VM.
 */
export function vmmCommand(program: string, spec: MachineSpec): [string, ...string[]] {
  const { jail, nic } = spec;
  const console = jail.reach(join(spec.logDir, VM_LOG_FILES.console), "append");
  const script = `console=$1; shift; exec "$@" >>"$console" ${EVENT_FD}>>${WORK_FILES.events}`;
  return jail.command(
    ["/bin/sh", "-c", script, "sh", console, program, ...PROGRAM_ARGUMENTS],
    nic.kind === "tap" ? nic.namespace : null,
    { fileLimitMb: FILE_LIMIT_BYTES / 1_048_576 },
  );
}

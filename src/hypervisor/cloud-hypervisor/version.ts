import { HypeError } from "../../contract/index.ts";
import { run, tail } from "../../host/run.ts";
import { MINIMUM_MAJOR, UPGRADE_REMEDY, VERSION_LINE } from "./facts.ts";

const DEADLINE_MS = 10_000;

/** @returns the version text, e.g. `v53.0`. @throws HypeError tool_missing | hypervisor_unavailable (not Cloud Hypervisor, or too old) */
export async function cloudHypervisorVersion(program: string): Promise<string> {
  const { code, stdout, stderr } = await run([program, "--version"], { timeoutMs: DEADLINE_MS }).catch((thrown) => {
    if (!(thrown instanceof HypeError) || thrown.code !== "operation_timeout") throw thrown;
    const words = `${program} --version did not answer within ${DEADLINE_MS / 1000} s: is it Cloud Hypervisor?`;
    throw new HypeError("hypervisor_unavailable", words, {}, { cause: thrown });
  });
  const match = VERSION_LINE.exec(stdout);
  if (code !== 0 || !match)
    throw new HypeError(
      "hypervisor_unavailable",
      `${program} is not Cloud Hypervisor: --version printed ${JSON.stringify(tail(stdout + stderr, 3).slice(0, 300))} (exit ${code})`,
    );
  const [, version = "", major] = match;
  mustBeNewEnough(version, Number(major));
  return version;
}

/** @throws HypeError hypervisor_unavailable */
export function mustBeNewEnough(version: string, major: number): void {
  if (!(major >= MINIMUM_MAJOR))
    throw new HypeError("hypervisor_unavailable", `Cloud Hypervisor ${version} is too old: ${UPGRADE_REMEDY}`);
}

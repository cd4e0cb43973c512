import type { Config } from "../../config/load.ts";
import { HypeError, messageOf } from "../../contract/errors.ts";
import type { Check } from "./check.ts";

/** Why the address of `hype serve` cannot be taken, or null. It is taken and let go again. */
function whyTaken({ host, port }: Config["listen"]): string | null {
  if (port === 0) return null;
  try {
    Bun.listen({ hostname: host, port, socket: { data() {} } }).stop(true);
    return null;
  } catch (thrown) {
    return messageOf(thrown);
  }
}

export const server: Check = {
  id: "server",
  async run({ config, server: status }) {
    const why = "VMs are created and driven through the server";
    const address = `${config.listen.host}:${config.listen.port}`;
    try {
      const answer = await status();
      const vms = `${answer.vms.total} ${answer.vms.total === 1 ? "VM" : "VMs"}`;
      return { status: "ok", seen: `hype ${answer.version} answers at ${config.apiBase}, ${vms}`, why, remedy: null };
    } catch (thrown) {
      if (!(thrown instanceof HypeError)) throw thrown;
      if (thrown.code !== "server_unreachable")
        return {
          status: "warn",
          seen: `${config.apiBase}: ${thrown.message}`,
          why,
          remedy: "Check OVERHYPED_API_KEY and OVERHYPED_HOME",
        };
    }
    const taken = whyTaken(config.listen);
    if (taken)
      return {
        status: "fail",
        seen: `no hype answers at ${config.apiBase}, and ${address} cannot be taken: ${taken}`,
        why,
        remedy: "Stop the program that listens there, or set OVERHYPED_API_LISTEN",
      };
    return { status: "note", seen: `not running; ${address} is free`, why, remedy: "`hype serve` starts it" };
  },
};

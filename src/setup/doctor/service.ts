import { existsSync } from "node:fs";
import { join } from "node:path";
import { systemdRuns, unitState } from "../actions/unit.ts";
import { UNITS } from "../files/units.ts";
import { type Check, fine, finding } from "./check.ts";

export const service: Check = {
  id: "service",
  async run() {
    const why = "systemd starts network and server at every boot, and the server again when it fails";
    const names = Object.values(UNITS).filter((name) => existsSync(join("/etc/systemd/system", name)));
    if (names.length === 0)
      return finding("note", "there are no units: `hype serve` runs while you run it", why, "`sudo hype setup`");
    if (!systemdRuns())
      return finding(
        "note",
        "systemd does not run here: nothing starts by itself",
        why,
        "As root: `hype network up`, then `hype serve`",
      );
    for (const name of names) {
      const state = await unitState(name, "LoadState", "ActiveState", "UnitFileState", "Result", "NeedDaemonReload");
      if (!state) return finding("warn", `systemctl says nothing about ${name}`, why, "Run `sudo hype doctor`");
      const log = `journalctl -u ${name} -n 50 says why`;
      if (state.LoadState !== "loaded") return finding("fail", `${name}: ${state.LoadState}`, why, "`sudo hype setup`");
      if (state.ActiveState === "failed")
        return finding("fail", `${name} failed: ${state.Result}`, why, `${log}; then systemctl restart ${name}`);
      if (state.ActiveState !== "active")
        return finding("warn", `${name} is ${state.ActiveState}`, why, `systemctl start ${name}`);
      if (state.UnitFileState !== "enabled")
        return finding("warn", `${name} does not start at boot`, why, `systemctl enable ${name}`);
      if (state.NeedDaemonReload === "yes")
        return finding("warn", `${name} was changed and not read again`, why, "`sudo hype setup`");
    }
    return fine("network and server run and start at boot", why);
  },
};

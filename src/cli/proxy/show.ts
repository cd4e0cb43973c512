import type { ProxyInput, VmProxy } from "../../contract/proxy.ts";
import type { Colours } from "../output/colours.ts";
import { pairs } from "../output/table.ts";

/** The proxy that the flags ask for. `bypass`: one host per flag, or several with commas. */
export const askedProxy = (url: string, bypass: string[]): ProxyInput => ({
  url,
  bypass: bypass
    .flatMap((text) => text.split(","))
    .map((text) => text.trim())
    .filter(Boolean),
});

/** A proxy, for people. */
export const proxyDetails = (name: string, { proxy, in_force }: VmProxy, paint: Colours): string =>
  pairs(
    [
      ["vm", name],
      ["proxy", proxy?.url ?? "none"],
      ["bypass", proxy && proxy.bypass.length > 0 ? proxy.bypass.join(", ") : null],
      ["in force", in_force ? "yes" : "no: from the next start on"],
    ],
    paint.dim,
  );

export const RESTARTED = "Chromium was restarted: the tabs are gone";

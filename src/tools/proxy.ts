import * as v from "valibot";
import { Proxy, VmProxy } from "../contract/index.ts";
import { vm } from "./fields.ts";
import { joined, line } from "./markdown.ts";
import { parsed } from "./parse.ts";
import { family } from "./tool.ts";

const tool = family("network");

const said = (name: string, { proxy, in_force: isInForce }: VmProxy): string =>
  joined(
    proxy
      ? `The browser of ${name} goes through ${line(proxy.url, 500)}${proxy.bypass.length > 0 ? `, but not to ${line(proxy.bypass.join(", "), 2_000)}` : ""}.`
      : `The browser of ${name} reaches pages directly.`,
    !isInForce && "This holds from the VM's next start on.",
  );

/** What a whole VM's browser goes through; browser_route is for one tab. */
export const proxyTools = [
  tool({
    name: "vm_proxy_get",
    title: "Proxy of a VM",
    description: "The proxy a VM's browser goes through, without its password.",
    input: v.strictObject({ vm }),
    output: VmProxy,
    effect: "read",
    scope: "read",
    isIdempotent: true,
    handle: async (input, { house }) => {
      const now = house.proxy(input.vm);
      return { text: said(house.get(input.vm).name, now), structured: now };
    },
  }),
  tool({
    name: "vm_proxy_set",
    title: "Set the proxy of a VM",
    description:
      "Gives a VM's browser another proxy, or none (no url). From none to one and back the browser restarts: open tabs are lost.",
    input: v.strictObject({
      vm,
      url: v.optional(
        v.pipe(v.string(), v.maxLength(2_048), v.description("http, https or socks5://[user:password@]host:port")),
      ),
      bypass: v.optional(v.pipe(v.array(v.string()), v.maxLength(256), v.description("Hosts reached without it"))),
    }),
    output: VmProxy,
    isIdempotent: true,
    handle: async ({ vm: ref, url, bypass = [] }, { house }) => {
      const { name } = house.get(ref);
      const { browser_restarted: isAnew, ...now } = await house.setProxy(
        ref,
        url === undefined ? null : parsed(Proxy, { url, bypass }),
      );
      return { text: joined(said(name, now), isAnew && "The browser began anew: its tabs are gone."), structured: now };
    },
  }),
];

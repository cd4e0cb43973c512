import { Command, Option } from "clipanion";
import { HypeError } from "../../contract/errors.ts";
import { labels, memoryMb, seconds, wholeNumber } from "../arguments/quantities.ts";
import { CATEGORY, readFully, ServerCommand } from "../command.ts";
import { flag, text, texts } from "../option.ts";

export class CreateCommand extends ServerCommand {
  static override paths = [["vms", "create"]];
  static override usage = Command.Usage({
    category: CATEGORY.vms,
    description: "Create a VM and wait until its browser is usable",
    details: `
      Progress goes to standard error, the result to standard output.

      Ctrl-C asks the server to undo the half-made VM; a second Ctrl-C leaves at once.
    `,
    examples: [
      ["Two cores, one gigabyte", "$0 vms create demo --cpu 2 --memory 1024"],
      ["Nothing but one server", "$0 vms create probe --egress none --allow 203.0.113.7:443"],
      ["Logged in from the start", "$0 vms create work --profile alice"],
      ["Its downloads and screenshots outlive it", "$0 vms create audit --keep download --keep screenshot"],
      ["Gone by itself after ten minutes", "$0 vms create job-17 --ttl 10m --label team=qa"],
    ],
  });

  name = Option.String();
  cpu = text("--cpu", "cores", "CPU cores; default 1");
  memory = text("--memory", "size", "Memory in MB, or 2G; default 1024");
  image = text("--image", "id", "Image to boot; default: the default image");
  profile = text("--profile", "name", "Profile to begin with, see hype profiles; default: an empty browser");
  labels = texts("--label", "key=value", "Label; may be given several times");
  ttl = text("--ttl", "duration", "Delete the VM after this time: 90s, 10m, 1h30m");
  kernelCmdline = text("--kernel-cmdline", "words", "Further words for the guest kernel's command line");
  egress = text("--egress", "mode", "What the guest may reach: internet (public addresses only), none or open");
  allow = texts("--allow", "cidr[:port]", "Reachable whatever --egress says; may be given several times");
  deny = texts("--deny", "cidr[:port]", "Never reachable; may be given several times");
  proxy = text(
    "--proxy",
    "url",
    "Proxy of the browser: http://, https:// or socks5://[user:password@]host:port; - reads it from standard input",
  );
  proxyBypass = texts("--proxy-bypass", "hosts", "Hosts reached without it; may be given several times");
  keep = texts("--keep", "kind", "Keep every screenshot, pdf, har, download or recording; may be given several times");
  noWait = flag("--no-wait", "Return as soon as the server has noted the VM");
  quiet = flag("-q,--quiet", "No progress");

  async execute(): Promise<void> {
    const { bootVm } = await import("./boot.ts");
    const { vmReady } = await import("./show.ts");
    const { keptKinds } = await import("../artifacts/kinds.ts");
    const { askedPolicy } = await import("../egress/policy.ts");
    const egress = askedPolicy("--egress", this.egress, this.allow, this.deny);
    if (this.proxy === undefined && this.proxyBypass.length > 0)
      throw new HypeError("usage", "--proxy-bypass needs --proxy");
    const { askedProxy } = await import("../proxy/show.ts");
    const proxyUrl = this.proxy === "-" ? (await readFully(this.context.stdin)).trim() : this.proxy;
    const input = {
      name: this.name,
      ...(this.cpu === undefined ? {} : { cpu_cores: wholeNumber("--cpu", this.cpu) }),
      ...(this.memory === undefined ? {} : { memory_mb: memoryMb("--memory", this.memory) }),
      ...(this.image === undefined ? {} : { image: this.image }),
      ...(this.profile === undefined ? {} : { profile: this.profile }),
      ...(this.ttl === undefined ? {} : { ttl_seconds: seconds("--ttl", this.ttl) }),
      ...(this.kernelCmdline === undefined ? {} : { kernel_cmdline: this.kernelCmdline }),
      ...(egress === undefined ? {} : { egress }),
      ...(proxyUrl === undefined ? {} : { proxy: askedProxy(proxyUrl, this.proxyBypass) }),
      ...(this.keep.length === 0 ? {} : { keep: keptKinds("--keep", this.keep) }),
      labels: labels("--label", this.labels),
    };
    const client = await this.client();
    if (this.noWait) {
      const vm = await client.vms.create(input, { wait: false });
      if (this.json) this.printJson(vm);
      else this.print(`${vm.name} is ${vm.status}; \`hype vms watch ${vm.name}\` tells how it goes on\n`);
      return;
    }
    using interrupts = this.context.catchInterrupts();
    using progress = this.progress(this.quiet);
    const vm = await bootVm(client, input, { progress, signal: interrupts.signal });
    if (this.json) this.printJson(vm);
    else this.print(vmReady(vm, this.context.paint.stdout));
  }
}

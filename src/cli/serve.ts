import { Command } from "clipanion";
import { CATEGORY, HypeCommand, resolvePath } from "./command.ts";
import { text } from "./option.ts";
import { logWriter } from "./output/log-writer.ts";

export class ServeCommand extends HypeCommand {
  static override paths = [["serve"]];
  static override usage = Command.Usage({
    category: CATEGORY.host,
    description: "Run the server: HTTP API on 127.0.0.1:7777",
    details: `
      Runs in the foreground. SIGINT or SIGTERM ends it and lets running VMs go on: the next server takes them up again. A second signal ends it at once.

      Logs go to standard error: short lines on a terminal, JSON lines elsewhere.
    `,
    examples: [
      ["On another port", "$0 serve --listen 127.0.0.1:8888"],
      ["For other machines, with TLS", "$0 serve --listen 0.0.0.0:7777 --tls-cert cert.pem --tls-key key.pem"],
    ],
  });

  listen = text(
    "--listen",
    "address:port",
    "Else OVERHYPED_API_LISTEN, else 127.0.0.1:7777; port 0 takes any free one",
  );
  tlsCert = text("--tls-cert", "file", "Certificate chain, PEM; else OVERHYPED_TLS_CERT, else plain HTTP");
  tlsKey = text("--tls-key", "file", "Its private key, PEM; else OVERHYPED_TLS_KEY");

  async execute(): Promise<void> {
    const { cwd } = this.context;
    const config = await this.config({
      ...(this.listen === undefined ? {} : { OVERHYPED_API_LISTEN: this.listen }),
      ...(this.tlsCert === undefined ? {} : { OVERHYPED_TLS_CERT: resolvePath(cwd, this.tlsCert) }),
      ...(this.tlsKey === undefined ? {} : { OVERHYPED_TLS_KEY: resolvePath(cwd, this.tlsKey) }),
    });
    const { startServer } = await import("../server/start.ts");
    const { createLog } = await import("../log/log.ts");
    const { paths } = await import("../config/paths.ts");
    const { stderr, terminal, paint } = this.context;
    const log = createLog({ level: config.logLevel, write: logWriter(stderr, terminal.stderr, paint.stderr) });
    using interrupts = this.context.catchInterrupts();
    await using server = await startServer({ config, log });
    if (this.json) this.printJson({ url: server.url, admin_key_file: paths.adminKey(config), pid: process.pid });
    else this.print(`hype serves ${server.url}; the admin key is in ${paths.adminKey(config)}\n`);
    if (this.context.env.NOTIFY_SOCKET) await (await import("../host/sd-notify.ts")).notifyReady();
    await aborted(interrupts.signal);
    log.info("stopping; VMs keep running");
  }
}

/** @throws never: being told to stop is how a server ends well */
const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

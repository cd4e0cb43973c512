import { setDefaultTimeout } from "bun:test";
import { join } from "node:path";
import { connect } from "../../src/client/client.ts";
import { HYPE, SealedHome } from "../lib/hype.ts";
import { describeVisits, type Place } from "../site/visits.ts";

setDefaultTimeout(300_000); // under software emulation
const MAIN = join(import.meta.dir, "..", "site", "main.ts");

/** The site runs in the guest itself, on its loopback: a guest reaches nothing of this machine, and a service worker wants a safe origin. */
async function siteInAVm(): Promise<Place> {
  const home = new SealedHome();
  const own: AsyncDisposable = {
    async [Symbol.asyncDispose]() {
      site?.kill();
      await site?.exited;
      await home[Symbol.asyncDispose]();
    },
  };
  let site: Bun.Subprocess<"pipe", "pipe", "inherit"> | undefined;
  try {
    const { url, key } = await home.serve();
    const client = connect({ base: url, key });
    const program = join(home.path, "site");
    const built = Bun.spawnSync([process.execPath, "build", "--compile", MAIN, "--outfile", program]);
    if (!built.success) throw new Error(built.stderr.toString());
    await home.ok(["vms", "create", "demo", "--cpu", "2", "--memory", "2048"]);
    const bytes = Bun.file(program).size;
    const take = `head -c ${bytes} > /tmp/site && chmod +x /tmp/site && exec /tmp/site`;
    site = Bun.spawn([HYPE, "vms", "shell", "demo", "--", "sh", "-c", take], {
      env: home.env,
      cwd: home.path,
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    for await (const piece of Bun.file(program).stream()) {
      site.stdin.write(piece);
      await site.stdin.flush();
    }
    const said = new TextDecoder().decode((await site.stdout.getReader().read()).value);
    return { client, vm: "demo", site: JSON.parse(said) as Place["site"], ...own };
  } catch (thrown) {
    await own[Symbol.asyncDispose]();
    throw thrown;
  }
}

describeVisits("in a microVM, through the server", siteInAVm, { makeMs: 400_000 });

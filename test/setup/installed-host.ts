import { dirname, join } from "node:path";
import type { Finding } from "../../src/setup/doctor/check.ts";
import { HYPE, TEST_IMAGE_DIR } from "../lib/hype.ts";
import { ThrowawayHost } from "../lib/throwaway-host.ts";

/** Another build than dist/hype, its agent beside it. */
const PROGRAM = process.env.OVERHYPED_TEST_HYPE ?? HYPE;

/** Where the images of this machine stand on one made with `images`; its own directory may be one that the host hides. */
export const IMAGES = "/srv/images";

/** A machine on which install.sh has put hype into /usr/local, and nothing else of it is. @param prepare see ThrowawayHost.start */
export const installedHost = ({ systemd = false, images = false, prepare = "" } = {}): Promise<ThrowawayHost> =>
  ThrowawayHost.start({
    systemd,
    prepare: `install -D -m 755 ${PROGRAM} $R/usr/local/bin/hype
install -D -m 755 ${join(dirname(PROGRAM), "hype-agent")} $R/usr/local/lib/overhyped/hype-agent
rm -rf $R/etc/overhyped $R/var/lib/overhyped $R/var/log/overhyped
${images ? `mkdir -p $R${IMAGES} && cp -r ${TEST_IMAGE_DIR}/. $R${IMAGES}/` : ""}
${prepare}`,
  });

/** `hype doctor` of that machine. Images take long to check and are not what these tests are about. */
export async function examined(host: ThrowawayHost, env: Record<string, string> = {}, as: string[] = []) {
  const { code, stdout, stderr } = await host.run([...as, "/usr/local/bin/hype", "doctor", "--json"], {
    OVERHYPED_IMAGE_DIR: "/nonexistent",
    HOME: "/tmp",
    ...env,
  });
  if (stdout === "") throw new Error(`hype doctor: ${stderr}`);
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Finding[] };
  return {
    code,
    ok,
    checks,
    check(id: string): Finding {
      const found = checks.find((one) => one.id === id);
      if (!found) throw new Error(`no check ${id}`);
      return found;
    },
  };
}

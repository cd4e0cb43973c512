import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { CheckStatus } from "../../../src/setup/doctor/check.ts";
import { canMakeHosts, type ThrowawayHost } from "../../lib/throwaway-host.ts";
import { examined, installedHost } from "../installed-host.ts";

/** One machine, broken and mended again for each row. */
type Breakage = {
  what: string;
  breaks?: string;
  mends?: string;
  env?: Record<string, string>;
  as?: string[];
  check: string;
  status: CheckStatus;
  seen: RegExp;
  remedy: RegExp;
};

const SLOT = { OVERHYPED_NETWORK: "slot" };
const HOME = { OVERHYPED_HOME: "/mnt/state" };
const USER = ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"];
const without = (program: string) =>
  `mkdir /mnt/bin && ln -s /usr/sbin/* /usr/bin/* /mnt/bin/ 2>/dev/null; rm /mnt/bin/${program}`;

const BREAKAGES: Breakage[] = [
  {
    what: "no program at all",
    env: { PATH: "/nonexistent" },
    check: "hypervisor",
    status: "fail",
    seen: /qemu-system-x86_64 is not installed/,
    remedy: /apt-get install qemu-system-x86/,
  },
  {
    what: "no nft",
    breaks: without("nft"),
    mends: "rm -r /mnt/bin",
    env: { ...SLOT, PATH: "/mnt/bin" },
    check: "network",
    status: "fail",
    seen: /missing: nft/,
    remedy: /apt-get install nftables/,
  },
  {
    what: "no bridge",
    env: SLOT,
    check: "slots",
    status: "fail",
    seen: /no bridge hypebr0/,
    remedy: /hype setup/,
  },
  {
    what: "a bridge of somebody else",
    breaks: "ip link add hypebr0 type bridge",
    mends: "ip link delete hypebr0",
    env: SLOT,
    check: "slots",
    status: "fail",
    seen: /hypebr0 was not made by/,
    remedy: /./,
  },
  {
    what: "the VMs' subnet in use",
    breaks: "ip link add lan0 type bridge && ip address add 192.168.127.77/25 dev lan0 && ip link set lan0 up",
    mends: "ip link delete lan0",
    env: SLOT,
    check: "firewall",
    status: "fail",
    seen: /192\.168\.127\.0\/24 overlaps 192\.168\.127\.0\/25 of lan0/,
    remedy: /OVERHYPED_SUBNET/,
  },
  {
    what: "another program's firewall that drops",
    breaks: "nft 'table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop; }; }'",
    mends: "nft delete table ip filter",
    env: SLOT,
    check: "firewall",
    status: "warn",
    seen: /ip filter FORWARD/,
    remedy: /hypebr0/,
  },
  {
    what: "a key others can read",
    breaks: "mkdir -p -m 711 /mnt/state && echo x > /mnt/state/signing.key && chmod 644 /mnt/state/signing.key",
    mends: "rm -r /mnt/state",
    env: HOME,
    check: "state",
    status: "fail",
    seen: /signing\.key has mode 0644/,
    remedy: /chmod 600/,
  },
  {
    what: "a state directory others can write",
    breaks: "mkdir -p -m 777 /mnt/state",
    mends: "rm -r /mnt/state",
    env: HOME,
    check: "state",
    status: "fail",
    seen: /mode 0777/,
    remedy: /chmod 700/,
  },
  {
    what: "settings others can write",
    breaks:
      "mkdir -p /etc/overhyped && : > /etc/overhyped/hype.env && chmod 666 /etc/overhyped/hype.env && mkdir -m 700 /mnt/state",
    mends: "rm -r /etc/overhyped /mnt/state",
    env: HOME,
    check: "state",
    status: "fail",
    seen: /hype\.env has mode 0666/,
    remedy: /chmod 640/,
  },
  {
    what: "a state directory of somebody else",
    breaks: "mkdir -p -m 700 /mnt/state",
    mends: "rm -r /mnt/state",
    env: HOME,
    as: USER,
    check: "state",
    status: "fail",
    seen: /cannot be written by uid 1000/,
    remedy: /OVERHYPED_HOME/,
  },
  {
    what: "an image nobody may read",
    breaks: "mkdir -p -m 700 /mnt/images",
    mends: "rm -r /mnt/images",
    env: { OVERHYPED_IMAGE_DIR: "/mnt/images" },
    as: USER,
    check: "image",
    status: "fail",
    seen: /\/mnt\/images/,
    remedy: /./,
  },
  {
    what: "a full disk",
    breaks: "mkdir /mnt/state && mount -t tmpfs -o size=1m tmpfs /mnt/state",
    mends: "umount /mnt/state && rmdir /mnt/state",
    env: { ...HOME, OVERHYPED_IMAGE_DIR: "/mnt/state/images" },
    check: "disk",
    status: "fail",
    seen: /^\d MB free/,
    remedy: /Free space/,
  },
  {
    what: "a taken port",
    // The reader returns when the listener has said that it listens.
    breaks: `mkfifo /mnt/said; '${process.execPath}' -e 'Bun.listen({ hostname: "127.0.0.1", port: 7777, socket: { data() {} } }); console.log("listens")' \
      </dev/null >/mnt/said 2>/dev/null & echo $! >/mnt/pid; read said </mnt/said`,
    mends: "kill $(cat /mnt/pid); rm /mnt/said /mnt/pid",
    check: "server",
    status: "fail",
    seen: /127\.0\.0\.1:7777 cannot be taken/,
    remedy: /OVERHYPED_API_LISTEN/,
  },
  {
    what: "a Cloud Hypervisor of another age",
    breaks: "printf '#!/bin/sh\\necho cloud-hypervisor v40.0\\n' > /mnt/ch && chmod 755 /mnt/ch",
    mends: "rm /mnt/ch",
    env: { OVERHYPED_CLOUD_HYPERVISOR: "/mnt/ch" },
    check: "cloud-hypervisor",
    status: "warn",
    seen: /v40\.0 is too old/,
    remedy: /v53/,
  },
  {
    what: "directories of a VM that nobody knows",
    breaks: `mkdir -p -m 700 /mnt/state/run/0123456789ab && cd /mnt/state && '${process.execPath}' -e '
      import { Database } from "bun:sqlite"; new Database("state.db").run("create table vms (id text, name text, ip_address text, status text)")'`,
    mends: "rm -r /mnt/state",
    env: HOME,
    check: "leftovers",
    status: "warn",
    seen: /1 without a VM: \/mnt\/state\/run\/0123456789ab/,
    remedy: /Start the server/,
  },
  {
    what: "a user where VMMs are to be",
    breaks: "cp /etc/passwd /mnt/passwd && echo 'squatter:x:1900000007:1900000007::/:/bin/false' >> /etc/passwd",
    mends: "cp /mnt/passwd /etc/passwd",
    env: { OVERHYPED_ACCELERATOR: "tcg" },
    check: "jail",
    status: "warn",
    seen: /squatter/,
    remedy: /./,
  },
];

describe.if(canMakeHosts)("doctor on a broken host", () => {
  let host: ThrowawayHost;
  beforeAll(async () => {
    host = await installedHost();
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
  });

  test.each(BREAKAGES)("$what: $check says so", async ({ breaks, mends, env, as, check, status, seen, remedy }) => {
    const before = await examined(host, { ...env, PATH: "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" });
    expect(before.checks.length).toBeGreaterThan(20);
    if (breaks) await host.ok(["sh", "-c", breaks]);
    try {
      const { code, ok, ...broken } = await examined(host, env, as);
      const found = broken.check(check);
      expect([found.status, found.seen, found.remedy]).toEqual([
        status,
        expect.stringMatching(seen),
        expect.stringMatching(remedy),
      ]);
      expect([code, ok]).toEqual(broken.checks.some((one) => one.status === "fail") ? [1, false] : [0, true]);
    } finally {
      if (mends) await host.ok(["sh", "-c", mends]);
    }
  });

  test("it changes nothing, with root and without", async () => {
    const before = host.changes();
    await examined(host);
    await examined(host, {}, USER);
    expect(host.changes()).toEqual(before);
  });
});

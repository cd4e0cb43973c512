import { describe, expect, test } from "bun:test";
import { loadConfig } from "../../src/config/load.ts";
import { identityOf } from "../../src/setup/actions/action.ts";
import { firstSettings, settingsText } from "../../src/setup/files/settings.ts";
import { networkUnit, serverUnit } from "../../src/setup/files/units.ts";
import { conflictingRoutes, firewallManagers, routes } from "../../src/setup/host/survey.ts";
import { makePlan } from "../../src/setup/plan.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

const completions = { bash: "b", zsh: "z", fish: "f" };
const planOf = (env: Record<string, string> = {}) => {
  const settings = firstSettings(env);
  const config = loadConfig({ OVERHYPED_CONFIG: "/dev/null", ...settings });
  return makePlan({ config, settings, program: "/usr/local/bin/hype", completions });
};

describe("the plan", () => {
  test("no action stands in it twice, and a directory comes before what lies in it", () => {
    const actions = planOf({ OVERHYPED_HOME: "/nonexistent/deep/state" }).flatMap((step) => step.actions);
    const names = actions.map(identityOf);
    expect(new Set(names).size).toBe(names.length);
    const deep = ["/nonexistent", "/nonexistent/deep", "/nonexistent/deep/state", "/nonexistent/deep/state/images"];
    expect(names.filter((name) => name.startsWith("directory /nonexistent"))).toEqual(
      deep.map((path) => `directory ${path}`),
    );
  });

  test("without slots there is no network unit and no forwarding", () => {
    const names = planOf({ OVERHYPED_NETWORK: "user" }).flatMap((step) => step.actions.map(identityOf));
    expect(names).toContain("unit overhyped.service");
    expect(names.filter((name) => /network|sysctl/.test(name))).toEqual([]);
  });

  test("settings of a first setup are what hype itself reads", async () => {
    using directory = temporaryDirectory();
    const given = {
      OVERHYPED_SUBNET: "10.7.0.0/24",
      OVERHYPED_TEST_X: "no",
      OVERHYPED_CONFIG: "/no",
      PATH: "/no",
      OVERHYPED_DNS: "",
    };
    const path = directory.join("hype.env");
    await Bun.write(path, settingsText(firstSettings(given)));
    const config = loadConfig({ OVERHYPED_CONFIG: path });
    expect(config).toMatchObject({
      home: "/var/lib/overhyped",
      runtimeDir: "/run/overhyped",
      logDir: "/var/log/overhyped",
      imageDir: "/var/lib/overhyped/images",
      network: "slot",
      subnet: "10.7.0.0/24",
    });
    expect(await Bun.file(path).text()).not.toMatch(/TEST_X|CONFIG|PATH/);
  });
});

describe("the units", () => {
  // Each gives a service a mount namespace of its own (systemd.exec(5)).
  const MOUNTS =
    /^(Protect(System|Home|KernelTunables|KernelModules|KernelLogs|ControlGroups|Proc)|Private(Tmp|Devices|Mounts)|Read(Write|Only)Paths|InaccessiblePaths|BindPaths|BindReadOnlyPaths|TemporaryFileSystem|RootDirectory|RootImage|MountFlags|ProcSubset|DynamicUser)=/m;

  test("the server's has no mounts of its own: network namespaces would be lost at its restart", () => {
    expect(serverUnit("/usr/local/bin/hype")).not.toMatch(MOUNTS);
    expect(networkUnit("/usr/local/bin/hype")).toMatch(MOUNTS);
  });

  test.each([
    "Type=notify",
    "KillMode=process",
    "UnsetEnvironment=BUN_OPTIONS BUN_BE_BUN",
    "NoNewPrivileges=yes",
    "Restart=on-failure",
    "ExecStart=/usr/local/bin/hype serve",
  ])("the server's says %s", (line) => {
    expect(serverUnit("/usr/local/bin/hype").split("\n")).toContain(line);
  });

  test.each([
    { unit: serverUnit, most: 6.1 },
    { unit: networkUnit, most: 2.6 },
  ])("exposure as docs/operations.md has it: $most", async ({ unit, most }) => {
    if (!Bun.which("systemd-analyze")) return;
    using directory = temporaryDirectory();
    const path = directory.join("x.service");
    await Bun.write(path, unit("/bin/true"));
    const { stdout } = Bun.spawnSync(["systemd-analyze", "security", "--offline=true", "--no-pager", path]);
    expect(Number(/exposure level for x\.service: ([\d.]+)/.exec(stdout.toString())?.[1])).toBeLessThanOrEqual(most);
    expect(await Bun.file("docs/operations.md").text()).toContain(String(most));
  });
});

describe("the survey", () => {
  const TABLE = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
hypebr0\t007FA8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
tun0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0
`;

  test("reads the kernel's routes, without the default one", () => {
    expect(routes(TABLE)).toEqual([
      { interface: "eth0", network: "192.168.1.0/24" },
      { interface: "hypebr0", network: "192.168.127.0/24" },
      { interface: "tun0", network: "10.0.0.0/8" },
    ]);
  });

  test.each<{ subnet: string; conflicts: string[] }>([
    { subnet: "192.168.127.0/24", conflicts: [] },
    { subnet: "192.168.0.0/16", conflicts: ["eth0"] },
    { subnet: "192.168.1.128/25", conflicts: ["eth0"] },
    { subnet: "10.99.0.0/24", conflicts: ["tun0"] },
    { subnet: "172.30.0.0/24", conflicts: [] },
  ])("$subnet conflicts with $conflicts", ({ subnet, conflicts }) => {
    expect(conflictingRoutes(subnet, "hypebr0", routes(TABLE)).map((route) => route.interface)).toEqual(conflicts);
  });

  test.each<{ there: string[]; managers: string[] }>([
    { there: ["/sys/class/net/docker0"], managers: ["docker"] },
    {
      there: ["/run/firewalld", "/etc/systemd/system/sysinit.target.wants/nftables.service"],
      managers: ["firewalld", "nftables.service"],
    },
    { there: [], managers: [] },
  ])("$managers manage the firewall", ({ there, managers }) => {
    expect(
      firewallManagers(
        (path) => there.includes(path),
        () => "",
      ),
    ).toEqual(managers);
  });

  test("ufw counts when it is enabled, not when it is installed", () => {
    const conf = (text: string) =>
      firewallManagers(
        () => false,
        (path) => (path === "/etc/ufw/ufw.conf" ? text : ""),
      );
    expect(conf("# x\nENABLED=yes\n")).toEqual(["ufw"]);
    expect(conf("ENABLED=no\n")).toEqual([]);
  });
});

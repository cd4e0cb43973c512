import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { DEFAULT_CONFIG_FILE, type Config } from "../config/load.ts";
import { type Action, identityOf } from "./actions/action.ts";
import { FORWARDING, logrotateText, sysctlText, tmpfilesText } from "./files/small.ts";
import { settingsText } from "./files/settings.ts";
import { networkUnit, serverUnit, UNITS } from "./files/units.ts";
import { describeStep, hostNetworkUp } from "../network/slot/host.ts";
import { findGroup } from "./host/accounts.ts";

/** Actions that belong together, under a title people read. */
export type Step = { id: string; title: string; actions: Action[] };

/** Shells find these by themselves: bash-completion, zsh's site-functions and fish's vendor directory of /usr/local. */
export type Completions = { bash: string; zsh: string; fish: string };

export type PlanInput = {
  /** As the service will see it. */
  config: Config;
  /** What a first settings file says. */
  settings: Record<string, string>;
  /** Absolute path of the installed `hype`. */
  program: string;
  completions: Completions;
};

export const ACCOUNT = "overhyped";
export const ETC = dirname(DEFAULT_CONFIG_FILE);

/** Everything `hype setup` does, in order. Pure but for looking whether the group kvm and parent directories are there. */
export function makePlan(input: PlanInput): Step[] {
  const seen = new Set<string>();
  const isNew = (action: Action) => !seen.has(identityOf(action)) && seen.add(identityOf(action));
  return allSteps(input).map((step) => ({ ...step, actions: step.actions.filter(isNew) }));
}

function allSteps({ config, settings, program, completions }: PlanInput): Step[] {
  const hasSlots = config.network !== "user";
  const unitFile = (name: string, content: string) => textFile(join("/etc/systemd/system", name), content);
  return [
    {
      id: "directories",
      title: "Directories",
      actions: [
        { kind: "directory", path: ETC, mode: 0o755 },
        ...ownDirectory(config.home, 0o711, { data: true }),
        ...ownDirectory(config.imageDir, 0o755, { data: true }),
        ...ownDirectory(config.logDir, 0o711, { data: true }),
        ...ownDirectory(config.runtimeDir, 0o711, { scratch: true }),
        ...textFile("/etc/tmpfiles.d/overhyped.conf", tmpfilesText(config.runtimeDir)),
      ],
    },
    {
      id: "account",
      title: "System user and group",
      actions: [
        { kind: "group", name: ACCOUNT },
        { kind: "user", name: ACCOUNT, home: config.home },
        ...(findGroup("kvm") ? [{ kind: "member", user: ACCOUNT, group: "kvm" } as const] : []),
      ],
    },
    {
      id: "settings",
      title: "Settings",
      actions: [
        {
          kind: "file",
          path: DEFAULT_CONFIG_FILE,
          mode: 0o640,
          group: ACCOUNT,
          content: settingsText(settings),
          settings: true,
        },
      ],
    },
    {
      id: "kernel",
      title: "Kernel settings",
      actions: hasSlots
        ? [...textFile("/etc/sysctl.d/60-overhyped.conf", sysctlText()), { kind: "sysctl", ...FORWARDING }]
        : [],
    },
    {
      id: "logs",
      title: "Log rotation",
      actions: textFile("/etc/logrotate.d/overhyped", logrotateText(config.logDir)),
    },
    {
      id: "completion",
      title: "Shell completion",
      actions: [
        ...textFile("/usr/local/share/bash-completion/completions/hype", completions.bash),
        ...textFile("/usr/local/share/zsh/site-functions/_hype", completions.zsh),
        ...textFile("/usr/local/share/fish/vendor_completions.d/hype.fish", completions.fish),
      ],
    },
    {
      id: "units",
      title: "systemd units",
      actions: [
        ...(hasSlots ? unitFile(UNITS.network, networkUnit(program)) : []),
        ...unitFile(UNITS.server, serverUnit(program)),
      ],
    },
    {
      id: "start",
      title: "Start, now and at boot",
      actions: [...(hasSlots ? [networkStart(config)] : []), { kind: "unit", name: UNITS.server, again: "restart" }],
    },
  ];
}

const networkStart = (config: Config): Action => ({
  kind: "unit",
  name: UNITS.network,
  again: "reload",
  runs: hostNetworkUp(config).map(describeStep),
});

/** A file all may read, with the directories above it that are missing. */
const textFile = (path: string, content: string): Action[] => [
  ...parents(path),
  { kind: "file", path, mode: 0o644, content },
];

const ownDirectory = (path: string, mode: number, holds: { data: true } | { scratch: true }): Action[] => [
  ...parents(path),
  { kind: "directory", path, mode, ...holds },
];

/** Directories above a path that this host lacks now; an earlier action may make them, and then they are left out. */
function parents(path: string): Action[] {
  const parent = dirname(path);
  if (existsSync(parent)) return [];
  return [...parents(parent), { kind: "directory", path: parent, mode: 0o755, common: true }];
}

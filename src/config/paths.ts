import { join } from "node:path";
import type { Config } from "./load.ts";

/** Linux holds 107 bytes of a Unix socket's path (`sun_path`, unix(7)); 34 are kept for `/<short id>/<directory>/<socket>`. */
export const RUNTIME_DIR_BYTES = 107 - 34;

/** Every path hype uses, from one place. A VM's directories are named by the first 12 hex digits that differ between ids. */
export const paths = {
  adminKey: (config: Config) => join(config.home, "admin.key"),
  /** Secret that signs CDP tokens; 0600. */
  signingKey: (config: Config) => join(config.home, "signing.key"),
  /** Keys that profiles are sealed with; 0600. */
  profilesKey: (config: Config) => join(config.home, "profiles.key"),
  profiles: (config: Config) => join(config.home, "profiles"),
  /** Held exclusively by the one server of this state. */
  serverLock: (config: Config) => join(config.home, "serve.lock"),
  serverLog: (config: Config) => join(config.logDir, "serve.log"),
  vmRun: (config: Config, vmId: string) => join(config.runtimeDir, shortId(vmId)),
  vmLogs: (config: Config, vmId: string) => join(config.logDir, shortId(vmId)),
  /** Files that are kept of VMs, by their SHA-256. */
  artifacts: (config: Config) => join(config.home, "artifacts"),
  image: (config: Config, imageId: string) => join(config.imageDir, imageId),
};

/** UUIDv7 begins with the time: the last 12 digits are random, so directories of two VMs never share a name. */
export const shortId = (vmId: string): string => vmId.slice(-12);

/** Directory of the VMM inside a VM's run directory: its working directory, the only one it may write to. */
export const VMM_DIRECTORY = "vmm";
/** File names inside a VM's run directory: the same for every VM, so that a snapshot restores elsewhere unedited. */
export const VM_RUN_FILES = {
  pid: "vmm.pid",
  qmp: "qmp.sock",
  passtSocket: "net.sock",
  passtPid: "net.pid",
  token: "token",
  api: "api.sock",
} as const;
/** File names inside a VM's log directory. */
export const VM_LOG_FILES = { console: "console.log", vmm: "vmm.log", network: "network.log" } as const;

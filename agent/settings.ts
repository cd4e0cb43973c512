import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { AGENT_PORT, EXPECT_PROFILE_WORD, EXPECT_PROXY_WORD, HypeError, messageOf } from "../src/contract/index.ts";

/** How the agent runs. The defaults are those of a guest; flags exist so that the same program runs as a local process. */
export type Settings = {
  host: string;
  /** 0: any free port; the chosen one stands in the listening line. */
  port: number;
  chromium: string;
  /** Owner of Chromium's processes; null: the agent's own user. */
  browserUid: number | null;
  sandbox: boolean;
  userDataDir: string;
  /** Holds the token once it was replaced, or from the start when there is no firmware to read it from. Root only. */
  tokenFile: string;
  /** `guest`: may set clock and hostname and power the machine off. `none`: a local process, which must not. */
  machine: "guest" | "none";
  /** The VM has a proxy, which the server is about to tell: Chromium opens nothing before. */
  expectProxy: boolean;
  /** The VM has a whole profile, which the server is about to send: Chromium starts with it. */
  expectProfile: boolean;
};

/** Debian's `/usr/bin/chromium-headless-shell` is a shell script that does not exec: signals must reach the real program. */
const CHROMIUM = "/usr/lib/chromium/chromium-headless-shell";

/** @throws HypeError `usage` for an unknown flag or a bad value. */
export function parseSettings(argv: string[]): Settings {
  const flags = readFlags(argv);
  const browserUid = flags["browser-uid"] === "none" ? null : wholeNumber("browser-uid", flags["browser-uid"], 65_535);
  if (flags.machine !== "guest" && flags.machine !== "none")
    throw new HypeError("usage", `--machine must be guest or none, not ${flags.machine}`);
  return {
    host: flags.host,
    port: wholeNumber("port", flags.port, 65_535),
    chromium: flags.chromium,
    browserUid,
    sandbox: !flags["no-sandbox"],
    userDataDir: flags["user-data-dir"],
    tokenFile: flags["token-file"],
    machine: flags.machine,
    expectProxy: flags["expect-proxy"] || (flags.machine === "guest" && kernelWords().includes(EXPECT_PROXY_WORD)),
    expectProfile:
      flags["expect-profile"] || (flags.machine === "guest" && kernelWords().includes(EXPECT_PROFILE_WORD)),
  };
}

function readFlags(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      options: {
        host: { type: "string", default: "0.0.0.0" },
        port: { type: "string", default: String(AGENT_PORT) },
        chromium: { type: "string", default: CHROMIUM },
        "browser-uid": { type: "string", default: "1000" },
        "no-sandbox": { type: "boolean", default: false },
        "user-data-dir": { type: "string", default: "/var/lib/hype-browser" },
        "token-file": { type: "string", default: "/run/hype-agent/token" },
        machine: { type: "string", default: "guest" },
        "expect-proxy": { type: "boolean", default: false },
        "expect-profile": { type: "boolean", default: false },
      },
    }).values;
  } catch (thrown) {
    throw new HypeError("usage", messageOf(thrown), {}, { cause: thrown });
  }
}

/** The kernel's command line (proc(5)). */
function kernelWords(): string[] {
  try {
    return readFileSync("/proc/cmdline", "utf8").trim().split(/\s+/);
  } catch {
    return [];
  }
}

function wholeNumber(flag: string, text: string, max: number): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) > max)
    throw new HypeError("usage", `--${flag} must be a whole number up to ${max}, not ${text}`);
  return Number(text);
}

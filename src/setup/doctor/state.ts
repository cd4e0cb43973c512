import { accessSync, constants, existsSync, statSync } from "node:fs";
import { DEFAULT_CONFIG_FILE } from "../../config/load.ts";
import { paths } from "../../config/paths.ts";
import type { Check } from "./check.ts";

const permissions = (path: string): number => statSync(path).mode & 0o777;
const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

export const state: Check = {
  id: "state",
  async run({ config }) {
    const why = "The state directory holds keys, the database and the VMs' sockets: it must be ours alone";
    const { home } = config;
    if (!existsSync(home))
      return { status: "ok", seen: `${home} is not there yet; the first \`hype serve\` makes it`, why, remedy: null };
    try {
      accessSync(home, constants.W_OK | constants.X_OK);
    } catch {
      return {
        status: "fail",
        seen: `${home} cannot be written by uid ${process.getuid?.()}`,
        why,
        remedy: "Run as its owner, or set OVERHYPED_HOME",
      };
    }
    const key = paths.adminKey(config);
    const secrets = [key, paths.signingKey(config), config.dbPath, ...(config.tls ? [config.tls.key] : [])];
    const open = secrets.find((path) => existsSync(path) && (permissions(path) & 0o077) !== 0);
    if (open)
      return {
        status: "fail",
        seen: `${open} has mode ${octal(permissions(open))}: others can read the secrets in it`,
        why,
        remedy: `chmod 600 ${open}; if others use this machine, its secrets are known: delete the keys too (server stopped), the next \`hype serve\` makes new ones`,
      };
    if (existsSync(DEFAULT_CONFIG_FILE) && (permissions(DEFAULT_CONFIG_FILE) & 0o027) !== 0)
      return {
        status: "fail",
        seen: `${DEFAULT_CONFIG_FILE} has mode ${octal(permissions(DEFAULT_CONFIG_FILE))}: others than root decide what the server does, or read its keys`,
        why,
        remedy: `chmod 640 ${DEFAULT_CONFIG_FILE}`,
      };
    if ((permissions(home) & 0o022) !== 0)
      return {
        status: "fail",
        seen: `${home} has mode ${octal(permissions(home))}: others can write to it`,
        why,
        remedy: `chmod 700 ${home}`,
      };
    const seen = existsSync(key) ? `${home}, admin.key ${octal(permissions(key))}` : `${home}, no admin key yet`;
    return { status: "ok", seen, why, remedy: null };
  },
};

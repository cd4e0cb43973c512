import { accessSync, constants, existsSync, statSync } from "node:fs";
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
    if (existsSync(key) && (permissions(key) & 0o077) !== 0)
      return {
        status: "fail",
        seen: `${key} has mode ${octal(permissions(key))}: others can read the admin key`,
        why,
        remedy: `chmod 600 ${key}; if others use this machine, delete it too, and the next \`hype serve\` makes a new one`,
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

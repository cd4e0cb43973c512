import { findGroup, findUser } from "../host/accounts.ts";
import { mustRun } from "../host/must-run.ts";
import type { Action, Kind } from "./action.ts";

type Group = Extract<Action, { kind: "group" }>;
type User = Extract<Action, { kind: "user" }>;
type Member = Extract<Action, { kind: "member" }>;

const NOLOGIN = "/usr/sbin/nologin";

/** State: true where the group is there. One that was there before us stays at the end. */
export const group: Kind<Group> = {
  programs: () => ["groupadd", "groupdel"],
  commands: ({ name }) => [["groupadd", "--system", name]],
  observe: async ({ name }) => findGroup(name) !== null,
  isDone: (_action, now) => now === true,
  async apply(action) {
    for (const command of this.commands(action)) await mustRun(command);
  },
  async restore({ name }, before) {
    if (before !== true && findGroup(name)) await mustRun(["groupdel", name]);
    return null;
  },
};

export const user: Kind<User> = {
  programs: () => ["useradd", "userdel"],
  commands: ({ name, home }) => [
    [
      ...(["useradd", "--system", "--gid", name, "--no-create-home", "--home-dir", home] as const),
      ...["--shell", NOLOGIN, "--comment", "OVERHYPED", name],
    ],
  ],
  observe: async ({ name }) => findUser(name) !== null,
  isDone: (_action, now) => now === true,
  async apply(action) {
    for (const command of this.commands(action)) await mustRun(command);
  },
  async restore({ name }, before) {
    if (before !== true && findUser(name)) await mustRun(["userdel", name]);
    return null;
  },
};

export const member: Kind<Member> = {
  programs: () => ["usermod", "gpasswd"],
  commands: ({ user: name, group: of }) => [["usermod", "--append", "--groups", of, name]],
  observe: async ({ user: name, group: of }) => findGroup(of)?.members.includes(name) ?? false,
  isDone: (_action, now) => now === true,
  async apply(action) {
    for (const command of this.commands(action)) await mustRun(command);
  },
  async restore(action, before) {
    if (before !== true && (await this.observe(action)))
      await mustRun(["gpasswd", "--delete", action.user, action.group]);
    return null;
  },
};

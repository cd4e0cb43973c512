import { group, member, user } from "./accounts.ts";
import type { Action, Kind } from "./action.ts";
import { directory } from "./directory.ts";
import { file } from "./file.ts";
import { sysctl } from "./sysctl.ts";
import { unit } from "./unit.ts";

const KINDS: { [Name in Action["kind"]]: Kind<Extract<Action, { kind: Name }>> } = {
  group,
  user,
  member,
  directory,
  file,
  sysctl,
  unit,
};

export const kindOf = (action: Action): Kind<Action> => KINDS[action.kind] as Kind<Action>;

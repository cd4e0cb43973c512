import type { Profile } from "../../contract/profile.ts";
import type { Colours } from "../output/colours.ts";
import { table } from "../output/table.ts";
import { age, bytes, plural } from "../../text/units.ts";

/** `12 cookies, 3 origins with storage`. */
export const contentOf = ({ kind, cookies, origins, size_bytes }: Profile): string =>
  `${kind === "whole" ? `whole profile of ${bytes(size_bytes)}, ` : ""}${plural(cookies, "cookie")}, ${plural(origins, "origin")} with storage`;

export const profileTable = (profiles: Profile[], paint: Colours): string =>
  table(
    [
      { title: "NAME", value: (profile) => profile.name },
      { title: "KIND", value: (profile) => profile.kind },
      { title: "COOKIES", value: (profile) => String(profile.cookies), align: "right" },
      { title: "ORIGINS", value: (profile) => String(profile.origins), align: "right" },
      { title: "SIZE", value: (profile) => bytes(profile.size_bytes), align: "right" },
      { title: "KEPT", value: (profile) => age(profile.updated_at), align: "right" },
      { title: "AGE", value: (profile) => age(profile.created_at), align: "right" },
    ],
    profiles,
    paint.bold,
  );

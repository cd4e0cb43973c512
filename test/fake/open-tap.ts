/** Becomes user and group `argv[2]` and opens tap0 of the network namespace it runs in, as a VMM does; says `opened` or `refused`. */
import { openTap } from "./tap.ts";

const uid = Number(process.argv[2]);
process.setgroups?.([]);
process.setgid?.(uid);
process.setuid?.(uid); // from root to another user: capabilities go with it (capabilities(7))
process.stdout.write(openTap("tap0") === null ? "refused\n" : "opened\n");

/** Opens tap0 of the network namespace it runs in, as a VMM does; says `opened` or `refused`. */
import { openTap } from "./tap.ts";

process.stdout.write(openTap("tap0") === null ? "refused\n" : "opened\n");

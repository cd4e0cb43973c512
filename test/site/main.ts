import { serveSite } from "./serve.ts";

/** The fixture site as a program: it says where it is, and ends with its standard input. */
const site = serveSite();
console.log(JSON.stringify({ origin: site.origin, other: site.other }));
for await (const _ of Bun.stdin.stream()) continue;
site[Symbol.dispose]();

import { HypeError } from "../contract/index.ts";

export const bad = (why: string): HypeError => new HypeError("invalid_request", `the archive cannot be taken: ${why}`);

import manifest from "../../package.json" with { type: "json" };

/** The product's version; agent and server share it. */
export const VERSION: string = manifest.version;

export * from "../../text/sanitize.ts";

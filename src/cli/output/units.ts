export * from "../../text/units.ts";

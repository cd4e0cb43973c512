export * from "./agent.ts";
export * from "./browser.ts";
export * from "./errors.ts";
export * from "./event.ts";
export * from "./image.ts";
export * from "./problem.ts";
export * from "./system.ts";
export * from "./vm.ts";

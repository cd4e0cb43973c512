import { hostname } from "node:os";
import type { Machine } from "./machine.ts";

/** The agent as a local process: it looks, but touches nothing that belongs to the host. Power-off ends the agent alone. */
export const noMachine = (end: () => void): Machine => ({
  hostname,
  setHostname() {},
  setClock() {},
  addEntropy() {},
  powerOff: end,
});

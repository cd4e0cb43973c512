/** Who may import whom. Everybody may import contract, config and log; docs/architecture.md shows the same as a picture. */
const common = ["contract", "config", "log"];
const domain = ["store", "host", "image", "network", "hypervisor", "guest", "engine"];

export const rooms: Record<string, string[]> = {
  contract: [],
  config: ["contract"],
  log: [],
  host: common,
  store: [...common, "host"],
  // The three share one vocabulary: a NIC is made by the network and plugged in by the hypervisor.
  image: [...common, "host"],
  hypervisor: [...common, "host"],
  network: [...common, "host", "hypervisor"],
  guest: common,
  engine: [...common, ...domain],
  server: [...common, ...domain],
  client: [...common, "server"],
  setup: [...common, "host", "hypervisor", "network", "image"],
  // Commands that act on this machine reach their own room: serve, doctor, image (which asks the rows what is in use).
  cli: [...common, "client", "server", "setup", "image", "host", "hypervisor", "network", "store"],
  main: [...common, "cli"],
  agent: ["contract", "log"],
};

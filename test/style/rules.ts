/** Who may import whom. Everybody may import contract, config and log; docs/architecture.md shows the same as a picture. */
const common = ["contract", "config", "log"];
const domain = ["store", "host", "image", "network", "hypervisor", "guest", "profiles", "artifacts", "engine"];

export const rooms: Record<string, string[]> = {
  contract: [],
  config: ["contract"],
  log: [],
  // How numbers and others' words are said to people, by CLI and TUI alike.
  text: [],
  host: common,
  store: [...common, "host"],
  // The three share one vocabulary: a NIC is made by the network and plugged in by the hypervisor.
  image: [...common, "host"],
  hypervisor: [...common, "host"],
  network: [...common, "host", "hypervisor"],
  guest: common,
  // The archive of a whole profile, as agent and server read it.
  "profile-archive": ["contract"],
  // What outlives a VM: sealed logins, and files.
  profiles: [...common, "host", "store", "guest", "profile-archive"],
  artifacts: [...common, "host", "store"],
  engine: [...common, ...domain],
  // The page of the live view: it runs in a person's browser and is bundled into the server.
  // What bundles our pages.
  "web-page": [],
  "live-page": ["contract", "text", "web-page"],
  // The demo of AG-UI: it runs in a person's browser, too.
  "agui-page": ["contract", "web-page"],
  // What an AI may do, and the two protocols over it.
  tools: [...common, ...domain],
  mcp: [...common, "tools"],
  agui: [...common, "tools"],
  server: [...common, ...domain, "live-page", "agui-page", "tools", "mcp", "agui"],
  client: [...common, "server"],
  setup: [...common, "host", "hypervisor", "network", "image"],
  // Commands that act on this machine reach their own room: serve, doctor, image (which asks the rows what is in use).
  cli: [...common, "client", "text", "server", "setup", "image", "host", "hypervisor", "network", "store", "tui"],
  tui: [...common, "client", "text"],
  main: [...common, "cli", "tui"],
  agent: ["contract", "log", "profile-archive"],
};

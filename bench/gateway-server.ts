/** The server's real gateway in front of one agent, as a process of its own. argv: endpoint, token. Prints {url, key}. */
import { Guest } from "../src/guest/guest.ts";
import { KEY, startTestServer } from "../test/server/harness.ts";

const [endpoint = "", token = ""] = process.argv.slice(2);
const server = startTestServer({ config: { logLevel: "info" } });
server.engine.add("bench");
server.engine.guests.set("bench", new Guest(endpoint, token));
console.log(JSON.stringify({ url: server.url, key: KEY }));
process.once("SIGTERM", () => void server[Symbol.asyncDispose]().then(() => process.exit(0)));

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "../../src/client/client.ts";
import { loadConfig } from "../../src/config/load.ts";
import { paths } from "../../src/config/paths.ts";
import { createLog } from "../../src/log/log.ts";
import { startServer } from "../../src/server/start.ts";
import { loadTls } from "../../src/server/tls.ts";
import { temporaryDirectory } from "../lib/temporary.ts";
import { startFakeAgent } from "./cdp/fake-agent.ts";
import { KEY, startTestServer } from "./harness.ts";

let certificates: ReturnType<typeof temporaryDirectory>;
/** A self-signed certificate for localhost and 127.0.0.1, made by openssl. */
async function makeCertificate(name: string, days = "30", more: string[] = []) {
  const made = Bun.spawn(
    [
      ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
      ...["-keyout", certificates.join(`${name}.key`), "-out", certificates.join(`${name}.crt`), "-days", days],
      ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", ...more],
    ],
    { stdout: "ignore", stderr: "pipe" },
  );
  if ((await made.exited) !== 0) throw new Error(await new Response(made.stderr).text());
}
beforeAll(async () => {
  certificates = temporaryDirectory();
  await Promise.all([makeCertificate("good"), makeCertificate("other"), makeCertificate("short", "3")]);
  await Bun.$`openssl pkey -in ${certificates.join("good.key")} -aes256 -passout pass:secret -out ${certificates.join("locked.key")}`.quiet();
  for (const name of ["good", "other", "short"]) chmodSync(certificates.join(`${name}.key`), 0o600);
  writeFileSync(certificates.join("nonsense"), "no PEM");
});
afterAll(() => certificates[Symbol.dispose]());

const DAY_MS = 86_400_000;
describe("what is checked at start", () => {
  const table: [name: string, cert: string, key: string, message: string, inMs?: number][] = [
    ["a certificate that is not there", "missing", "good.key", "missing cannot be read as the certificate"],
    ["a key that is not there", "good.crt", "missing", "missing cannot be read as the private key"],
    ["a certificate that is none", "nonsense", "good.key", "nonsense holds no certificate in PEM"],
    ["a key that is none", "good.crt", "nonsense", "nonsense holds no private key in PEM"],
    [
      "a key with a passphrase",
      "good.crt",
      "locked.key",
      "locked.key holds no private key in PEM without a passphrase",
    ],
    ["the two swapped", "good.key", "good.crt", "good.key holds no certificate in PEM"],
    ["another's key", "good.crt", "other.key", "other.key is not the key of the certificate in"],
    ["an expired certificate", "good.crt", "good.key", "good.crt holds a certificate that has expired", 31 * DAY_MS],
    ["one of tomorrow", "good.crt", "good.key", "good.crt holds a certificate that is not valid before", -DAY_MS],
  ];
  for (const [name, cert, key, message, inMs = 0] of table)
    test(`${name}: config_invalid that names the file`, () => {
      const lines: string[] = [];
      const log = createLog({ level: "info", write: (line) => lines.push(line) });
      const files = { cert: certificates.join(cert), key: certificates.join(key) };
      expect(() => loadTls(files, log, Date.now() + inMs)).toThrow(
        expect.objectContaining({ code: "config_invalid", message: expect.stringContaining(message) }),
      );
      expect(lines).toEqual([]);
    });

  test("a certificate that ends soon and a key that others can read are warned of", () => {
    const lines: string[] = [];
    const log = createLog({ level: "info", write: (line) => lines.push(line) });
    const load = (name: string) =>
      loadTls({ cert: certificates.join(`${name}.crt`), key: certificates.join(`${name}.key`) }, log);
    load("good");
    expect(lines).toEqual([]);
    load("short");
    expect(lines.join("")).toMatch(/short\.crt expires 20.*renew it and restart/);
    lines.length = 0;
    chmodSync(certificates.join("other.key"), 0o644);
    load("other");
    chmodSync(certificates.join("other.key"), 0o600);
    expect(lines.join("")).toContain("other.key can be read by others (mode 644)");
  });
});

describe("a server with TLS", () => {
  let home: ReturnType<typeof temporaryDirectory>;
  beforeEach(() => {
    home = temporaryDirectory();
  });
  afterEach(() => home[Symbol.dispose]());
  const log = createLog({ level: "error", write() {} });
  const config = (env: Record<string, string> = {}) =>
    loadConfig({
      OVERHYPED_HOME: home.join("state"),
      OVERHYPED_API_LISTEN: "127.0.0.1:0",
      OVERHYPED_TLS_CERT: certificates.join("good.crt"),
      OVERHYPED_TLS_KEY: certificates.join("good.key"),
      ...env,
    });
  const pem = (name: string) => readFileSync(certificates.join(name), "utf8");

  test("answers by https, to who trusts its certificate, and to nobody by http", async () => {
    const settings = config();
    await using server = await startServer({ config: settings, log });
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const key = readFileSync(paths.adminKey(settings), "utf8").trim();
    expect((await connect({ base: server.url, key, ca: pem("good.crt") }).vms.list()).total).toBe(0);
    for (const ca of [undefined, pem("other.crt")])
      await expect(connect({ base: server.url, key, ...(ca && { ca }) }).vms.list()).rejects.toMatchObject({
        code: "server_unreachable",
        message: expect.stringContaining("is not trusted"),
        details: { remedy: expect.stringContaining("OVERHYPED_API_CA") },
      });
    await expect(connect({ base: server.url.replace("https", "http"), key }).vms.list()).rejects.toMatchObject({
      code: "server_unreachable",
    });
  });

  test("a wrong file is said before anything listens, and the state stays free", async () => {
    const wrong = config({ OVERHYPED_TLS_KEY: certificates.join("other.key") });
    await expect(startServer({ config: wrong, log })).rejects.toMatchObject({ code: "config_invalid" });
    await using server = await startServer({ config: config(), log });
    expect(server.url).toStartWith("https:");
  });

  test("the CDP door gives wss and https URLs, and its sockets go through", async () => {
    const files = { cert: certificates.join("good.crt"), key: certificates.join("good.key") };
    const ca = pem("good.crt");
    await using agent = startFakeAgent();
    await using server = startTestServer({ config: { tls: files }, tls: { cert: ca, key: pem("good.key") } });
    server.engine.add("demo");
    server.engine.guests.set("demo", {
      cdpSocket: (path: string) => ({ url: agent.url(path), headers: {} }),
      cdpJson: async () => ({ bytes: Buffer.from('{"webSocketDebuggerUrl":"ws://x/devtools/browser/B1"}') }),
    } as never);
    const client = connect({ base: server.url, key: KEY, ca });
    const { ws_url, http_url } = await client.vms.cdpToken("demo");
    expect(ws_url).toStartWith(`${server.url.replace("https", "wss")}/api/v1/vms/demo/cdp?token=`);
    expect(http_url).toStartWith(`${server.url}/api/v1/vms/demo/cdp?token=`);
    const trust = { tls: { ca } } as RequestInit;
    const version = (await (await fetch(http_url, trust)).json()) as { webSocketDebuggerUrl: string };
    expect(version.webSocketDebuggerUrl).toStartWith(
      `${server.url.replace("https", "wss")}/api/v1/vms/demo/cdp/devtools`,
    );
    const socket = new (WebSocket as never as new (url: string, options: object) => WebSocket)(ws_url, { tls: { ca } });
    const echoed = new Promise((resolve) => (socket.onmessage = ({ data }) => resolve(data)));
    socket.onopen = () => socket.send("through TLS");
    expect(await echoed).toBe("through TLS");
    socket.close();
  });

  test("the CLI of this machine means https by itself; one file alone is refused", () => {
    expect(config({ OVERHYPED_API_LISTEN: "127.0.0.1:7777" }).apiBase).toBe("https://127.0.0.1:7777");
    expect(config({ OVERHYPED_API_BASE: "http://127.0.0.1:1" }).apiBase).toBe("http://127.0.0.1:1");
    expect(() => loadConfig({ HOME: "/", OVERHYPED_TLS_CERT: "/x" })).toThrow("must be given together");
  });
});

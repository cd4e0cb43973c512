import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { temporaryDirectory } from "../lib/temporary.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const start = (home: string, argv: string[], env: Record<string, string> = {}) =>
  Bun.spawn([process.execPath, MAIN, ...argv], {
    cwd: home,
    env: { PATH: process.env.PATH ?? "", HOME: home, OVERHYPED_HOME: join(home, "state"), ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
async function ran(home: string, argv: string[], env: Record<string, string> = {}) {
  const child = start(home, argv, env);
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}
async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream() as never) as unknown as AsyncIterable<string>) {
    text += piece;
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0] ?? "";
}

describe("hype serve --tls-cert --tls-key", () => {
  test("serves https; the CLI comes in by OVERHYPED_API_CA, or says what is missing", async () => {
    using home = temporaryDirectory();
    await Bun.$`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 30 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1`
      .cwd(home.path)
      .quiet();
    const tls = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    await using server = start(home.path, ["serve", "--listen", "127.0.0.1:0", ...tls, "--json"]);
    const { url } = JSON.parse(await firstLine(server.stdout)) as { url: string };
    expect(url).toStartWith("https://127.0.0.1:");
    const list = ["vms", "list", "--json", "--api", url];

    const trusting = await ran(home.path, list, { OVERHYPED_API_CA: home.join("cert.pem") });
    expect(trusting).toMatchObject({ code: 0, stdout: '{"items":[],"total":0}\n' });
    const byBun = await ran(home.path, list, { NODE_EXTRA_CA_CERTS: home.join("cert.pem") });
    expect(byBun).toMatchObject({ code: 0, stdout: '{"items":[],"total":0}\n' });

    const doubting = await ran(home.path, ["vms", "list", "--api", url]);
    expect(doubting.code).toBe(3);
    expect(doubting.stderr).toContain(`the certificate of ${url} is not trusted`);
    expect(doubting.stderr).toContain("OVERHYPED_API_CA");
    const missing = await ran(home.path, list, { OVERHYPED_API_CA: home.join("nothing.pem") });
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain("nothing.pem cannot be read");
    server.kill("SIGTERM");
    expect(await server.exited).toBe(0);
  });

  test("one of the two alone, or a file that is none, ends with 2 and its name", async () => {
    using home = temporaryDirectory();
    const alone = await ran(home.path, ["serve", "--tls-cert", "cert.pem"]);
    expect(alone.code).toBe(2);
    expect(alone.stderr).toContain("OVERHYPED_TLS_CERT and OVERHYPED_TLS_KEY must be given together");
    const nothing = await ran(home.path, ["serve", "--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    expect(nothing.code).toBe(2);
    expect(nothing.stderr).toContain(`${home.join("cert.pem")} cannot be read as the certificate`);
  });
});

import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { HypeError, messageOf } from "../contract/index.ts";
import type { Log } from "../log/log.ts";

/** A certificate that ends sooner than this is warned of, milliseconds. */
const WARN_MS = 14 * 86_400_000;

/** PEM texts, as Bun.serve takes them. */
export type Tls = { cert: string; key: string };

/**
 * Reads and checks what the server will show its callers: a server that cannot be reached is told at its start, by the file that is wrong.
 * @throws HypeError config_invalid
 */
export function loadTls(files: { cert: string; key: string }, log: Log, nowMs = Date.now()): Tls {
  const cert = read(files.cert, "certificate");
  const key = read(files.key, "private key");
  const certificate = parse(files.cert, "certificate in PEM", () => new X509Certificate(cert));
  const privateKey = parse(files.key, "private key in PEM without a passphrase", () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey))
    throw wrong(files.key, `is not the key of the certificate in ${files.cert}`);
  const endsAtMs = Date.parse(certificate.validTo);
  const until = new Date(endsAtMs).toISOString();
  if (endsAtMs <= nowMs) throw wrong(files.cert, `holds a certificate that has expired (${until})`);
  const beginsAtMs = Date.parse(certificate.validFrom);
  if (beginsAtMs > nowMs)
    throw wrong(files.cert, `holds a certificate that is not valid before ${new Date(beginsAtMs).toISOString()}`);
  if (endsAtMs - nowMs < WARN_MS)
    log.warn(`the certificate in ${files.cert} expires ${until}: renew it and restart the server (VMs run on)`);
  const mode = statSync(files.key).mode & 0o777;
  if ((mode & 0o077) !== 0)
    log.warn(`the private key ${files.key} can be read by others (mode ${mode.toString(8)}): chmod 600 it`);
  return { cert, key };
}

function read(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    throw wrong(path, `cannot be read as the ${what}: ${messageOf(thrown)}`);
  }
}

/** The parser's own words may repeat the input, so they stay out of the message. */
function parse<Value>(path: string, what: string, make: () => Value): Value {
  try {
    return make();
  } catch {
    throw wrong(path, `holds no ${what}`);
  }
}

const wrong = (path: string, fault: string): HypeError => new HypeError("config_invalid", `${path} ${fault}`, { path });

import { HypeError, isErrorCode, messageOf } from "../contract/errors.ts";

/** The error a reply stands for: a problem document keeps its code; anything else came from something that is not our server. */
export async function errorOf(response: Response): Promise<HypeError> {
  const text = await response.text().catch(() => "");
  const problem = parseObject(text);
  if (problem && isErrorCode(problem.code)) {
    const { detail, details, issues, ref } = problem;
    return new HypeError(problem.code, String(detail ?? problem.code), {
      ...(typeof details === "object" ? details : {}),
      ...(issues === undefined ? {} : { issues }),
      ...(ref === undefined ? {} : { ref }),
    });
  }
  return new HypeError(
    "server_unreachable",
    `${new URL(response.url || "http://localhost").host} answered ${response.status} without a problem document: is it a hype server?`,
    { status: response.status },
  );
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Why OpenSSL does not believe a certificate (X509_V_ERR_*, as Bun's fetch names them). */
const UNTRUSTED = /CERT|UNABLE_TO_(VERIFY|GET_ISSUER)/;

/** What a failed call means: ours already, aborted by the caller, a server that is not believed, or nobody there. */
export function callError(thrown: unknown, base: string, signal: AbortSignal | null | undefined): HypeError {
  if (thrown instanceof HypeError) return thrown;
  if (signal?.aborted) return new HypeError("cancelled", "the call was cancelled", {}, { cause: thrown });
  if (UNTRUSTED.test(String((thrown as { code?: unknown } | null)?.code)))
    return new HypeError(
      "server_unreachable",
      `the certificate of ${base} is not trusted: ${messageOf(thrown)}`,
      {
        base,
        remedy:
          "Call the server by a name its certificate holds; for an authority of your own, name its file in OVERHYPED_API_CA.",
      },
      { cause: thrown },
    );
  return new HypeError(
    "server_unreachable",
    `no server answers at ${base}: ${messageOf(thrown)}`,
    { base },
    { cause: thrown },
  );
}

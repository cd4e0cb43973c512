/** The sentence of an answer that refuses something; `otherwise` where it is none of the server's own. */
export function refusalOf(reply: string, otherwise: string): string {
  try {
    const { detail } = JSON.parse(reply) as { detail?: string };
    if (detail) return detail;
  } catch {
    // no answer of the server's own
  }
  return otherwise;
}

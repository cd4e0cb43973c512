/** An error of the protocol that no server was needed for. */
export const rpcError = (
  status: number,
  code: number,
  message: string,
  { id = null, headers = {} }: { id?: string | number | null; headers?: Record<string, string> } = {},
): Response => Response.json({ jsonrpc: "2.0", id, error: { code, message } }, { status, headers });

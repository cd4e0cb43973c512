/** Where the agent's shells are, and the headers it wants. The wire is contract/shell.ts. */
export const shellSocket = ({ endpoint, token }: { endpoint: string; token: string }) => ({
  url: `${endpoint.replace(/^http/, "ws")}/v1/shell`,
  headers: { authorization: `Bearer ${token}` },
});

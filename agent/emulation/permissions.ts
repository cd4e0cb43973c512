import type { Protocol } from "devtools-protocol";
import { type Emulation, HypeError } from "../../src/contract/index.ts";
import { CommandRefused, type Connection } from "../cdp/connection.ts";

type Wanted = { contextId: string | undefined; permissions: NonNullable<Emulation["permissions"]> };

/** Permissions are a context's, not a tab's. Chromium takes ours back when our connection ends. */
export class Permissions {
  #applied = new Map<Connection, string>();

  /** @throws HypeError `emulation_refused` */
  async apply(connection: Connection, wanted: Wanted[]): Promise<void> {
    const text = JSON.stringify(wanted.filter(({ permissions }) => permissions.length > 0));
    const before = this.#applied.get(connection) ?? "[]";
    if (text === before) return;
    this.#applied = new Map([[connection, text]]);
    for (const { contextId } of JSON.parse(before) as Wanted[])
      await connection.send("Browser.resetPermissions", contextParams(contextId)).catch(() => {}); // the context is gone
    for (const { contextId, permissions } of wanted)
      for (const { name, setting, origin } of permissions)
        await connection
          .send("Browser.setPermission", {
            permission: { name },
            setting: setting as Protocol.Browser.PermissionSetting,
            ...(origin && { origin }),
            ...contextParams(contextId),
          })
          .catch((thrown: unknown) => {
            if (!(thrown instanceof CommandRefused)) throw thrown;
            throw new HypeError("emulation_refused", `permissions: ${name}: ${thrown.detail}`, {}, { cause: thrown });
          });
  }
}

const contextParams = (browserContextId: string | undefined) => (browserContextId ? { browserContextId } : {});

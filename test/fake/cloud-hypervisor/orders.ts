import { chmodSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Api } from "./api.ts";
import { type GuestDeed, type Moods, ownDirectory } from "./moods.ts";
import type { Vmm } from "./vmm.ts";

/**
 * Where a test tells this process what to do. A socket in the wrapper's directory, since a file is reached from every network
 * namespace, and its name is the pid, which a test knows.
 */
export class OrderDoor {
  private constructor(private readonly path: string) {}

  static async open(moods: Moods, vmm: Vmm, api: Api): Promise<OrderDoor | null> {
    const directory = ownDirectory();
    if (!directory) return null;
    const path = join(directory, "orders", `${process.pid}.sock`);
    rmSync(path, { force: true });
    Bun.serve({
      unix: path,
      async fetch(request) {
        const [, noun = "", what = ""] = new URL(request.url).pathname.split("/");
        const body = await request.text();
        switch (noun) {
          case "guest":
            vmm.guestDoes(what as GuestDeed);
            return Response.json({});
          case "release":
            api.gate(what).released.resolve();
            return Response.json({});
          case "held":
            await api.gate(what).begun.promise;
            return Response.json({});
          case "moods":
            Object.assign(moods, JSON.parse(body));
            return Response.json(moods);
          case "calls":
            return Response.json(api.calls);
          default:
            return new Response(`no such order: ${noun}`, { status: 404 });
        }
      },
    });
    chmodSync(path, 0o777);
    return new OrderDoor(path);
  }

  close(): void {
    rmSync(this.path, { force: true });
  }
}

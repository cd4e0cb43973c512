import { Elysia } from "elysia";
import * as v from "valibot";
import { Image, ImageList, ImageManifest } from "../../contract/index.ts";
import type { ServerContext } from "../context.ts";
import { NoQuery } from "./schemas.ts";

const Detail = v.object({ ...Image.entries, manifest: ImageManifest });
const ImageRef = v.strictObject({
  id: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, "must be an image id or name")),
});

/** Images on this machine. They are built and removed by `hype image`, on the machine itself. */
export function imageRoutes({ images }: ServerContext) {
  return new Elysia({ name: "images", prefix: "/api/v1/images" })
    .get("", () => ({ items: images.list() }), {
      query: NoQuery,
      response: ImageList,
      detail: { summary: "List images", tags: ["images"] },
    })
    .get("/:id", ({ params }) => images.get(params.id), {
      params: ImageRef,
      query: NoQuery,
      response: Detail,
      detail: { summary: "One image with its manifest", tags: ["images"] },
    });
}

import { type CliRenderer, ImageRenderable } from "@opentui/core";
import type { Area } from "./area.ts";

/**
 * The picture of a page, laid over the place a view left for it. OpenTUI draws it as the terminal can: kitty's or sixel graphics,
 * else half blocks in colour.
 */
export class PagePicture {
  readonly #image: ImageRenderable;
  #shown: Uint8Array | null = null;

  constructor(renderer: CliRenderer) {
    this.#image = new ImageRenderable(renderer, {
      position: "absolute",
      fit: "fit",
      visible: false,
      onError: () => {
        this.#image.visible = false; // a guest may send what is no picture; the frame stays empty
      },
    });
    renderer.root.add(this.#image);
  }

  /** @param area null: no picture is wanted. Not to be called while a frame is drawn. */
  place(area: Area | null, bytes: Uint8Array | null): void {
    const image = this.#image;
    if (!area || !bytes || area.width < 2 || area.height < 1) {
      image.visible = false;
      return;
    }
    image.left = area.x;
    image.top = area.y;
    image.width = area.width;
    image.height = area.height;
    image.visible = true;
    if (this.#shown === bytes) return;
    this.#shown = bytes;
    image.source = bytes;
  }
}

/** A rectangle of the screen, in cells; x and y from the screen's top left corner. */
export type Area = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

/** What is left after cutting off so many cells on each side; never negative. */
export const inset = (area: Area, left: number, top = left, right = left, bottom = top): Area => ({
  x: area.x + left,
  y: area.y + top,
  width: Math.max(0, area.width - left - right),
  height: Math.max(0, area.height - top - bottom),
});

/** Cuts rows off the top: `[top, rest]`. */
export const cutTop = (area: Area, rows: number): [Area, Area] => {
  const height = Math.min(Math.max(0, rows), area.height);
  return [
    { ...area, height },
    { ...area, y: area.y + height, height: area.height - height },
  ];
};

/** Cuts rows off the bottom: `[rest, bottom]`. */
export const cutBottom = (area: Area, rows: number): [Area, Area] => cutTop(area, area.height - Math.max(0, rows));

/** Cuts columns off the left: `[left, rest]`. */
export const cutLeft = (area: Area, columns: number): [Area, Area] => {
  const width = Math.min(Math.max(0, columns), area.width);
  return [
    { ...area, width },
    { ...area, x: area.x + width, width: area.width - width },
  ];
};

/** A rectangle of at most this size in the middle of another. */
export const centred = (area: Area, width: number, height: number): Area => {
  const w = Math.min(width, area.width);
  const h = Math.min(height, area.height);
  return {
    x: area.x + Math.floor((area.width - w) / 2),
    y: area.y + Math.floor((area.height - h) / 2),
    width: w,
    height: h,
  };
};

export const contains = (area: Area, x: number, y: number): boolean =>
  x >= area.x && x < area.x + area.width && y >= area.y && y < area.y + area.height;

import { centred } from "../canvas/area.ts";
import { wrap } from "../canvas/text.ts";
import { bindingsFor, keyLabel } from "../keys/match.ts";
import { act, type View } from "./view.ts";

/** Before a server has answered: why there is nothing to see, and what can be done about it. */
export const offline: View = (canvas, area, state) => {
  const { connection } = state;
  const isConnecting = connection.status === "connecting";
  const why = isConnecting ? "asking …" : (connection.error?.message ?? "no answer");
  const choices = bindingsFor("offline", state).filter(({ where }) => where.includes("offline"));
  const lines = wrap(why, Math.min(66, area.width - 8)).slice(0, 4);
  const inside = canvas.box(centred(area, 72, lines.length + choices.length + 5), "hype", { ink: "accent" });
  const row = (at: number) => ({ ...inside, x: inside.x + 2, y: inside.y + at, width: inside.width - 4, height: 1 });
  canvas.text(row(0), connection.server, { ink: "title", bold: true });
  for (const [at, line] of lines.entries()) canvas.text(row(1 + at), line, { ink: isConnecting ? "muted" : "bad" });
  for (const [at, { keys, help, action }] of choices.entries()) {
    const line = row(lines.length + 2 + at);
    canvas.pieces(line, [[keyLabel(keys[0] ?? "").padEnd(6), { ink: "accent", bold: true }], [help]]);
    canvas.spot(line, act(action));
  }
};

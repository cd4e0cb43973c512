import { RGBA } from "@opentui/core";

/** What a colour is for. Views name roles, never colours. */
export type Ink =
  "text" | "muted" | "accent" | "good" | "warning" | "bad" | "info" | "border" | "title" | "selected" | "marked";
/** What lies behind text. */
export type Paper = "screen" | "bar" | "panel" | "selection" | "field";

export type ThemeName = "dark" | "light" | "contrast" | "none";
export const THEME_NAMES: readonly ThemeName[] = ["dark", "light", "contrast", "none"];

export type Theme = {
  readonly name: ThemeName;
  readonly ink: Record<Ink, RGBA>;
  readonly paper: Record<Paper, RGBA>;
  /** Without colours what is chosen is shown by swapping ink and paper. */
  readonly isColoured: boolean;
};

type Palette = { ink: Record<Ink, string>; paper: Record<Paper, string> };

/** "" is the terminal's own colour. Contrast of text on its paper is at least 4.5 (WCAG 2.2, 1.4.3); in `contrast` at least 7. */
const PALETTES: Record<ThemeName, Palette> = {
  dark: {
    ink: {
      text: "#d7dae0",
      muted: "#8b93a3",
      accent: "#7aa2f7",
      good: "#7fc98b",
      warning: "#e5b567",
      bad: "#f07178",
      info: "#73c7d4",
      border: "#3b4252",
      title: "#ffffff",
      selected: "#ffffff",
      marked: "#e5b567",
    },
    paper: { screen: "#12151c", bar: "#1b202b", panel: "#171b24", selection: "#2b3a5c", field: "#222836" },
  },
  light: {
    ink: {
      text: "#24292f",
      muted: "#5d6673",
      accent: "#1d4ed8",
      good: "#116329",
      warning: "#8a4b00",
      bad: "#b3261e",
      info: "#0b5c75",
      border: "#c4cad3",
      title: "#000000",
      selected: "#000000",
      marked: "#8a4b00",
    },
    paper: { screen: "#ffffff", bar: "#eef1f5", panel: "#f8f9fb", selection: "#cfe0ff", field: "#eef1f5" },
  },
  contrast: {
    ink: {
      text: "#ffffff",
      muted: "#d0d0d0",
      accent: "#66d9ff",
      good: "#5dff7f",
      warning: "#ffd54a",
      bad: "#ff8a8a",
      info: "#8ae9ff",
      border: "#ffffff",
      title: "#ffffff",
      selected: "#000000",
      marked: "#ffd54a",
    },
    paper: { screen: "#000000", bar: "#000000", panel: "#000000", selection: "#ffd54a", field: "#1c1c1c" },
  },
  none: {
    ink: {
      text: "",
      muted: "",
      accent: "",
      good: "",
      warning: "",
      bad: "",
      info: "",
      border: "",
      title: "",
      selected: "",
      marked: "",
    },
    paper: { screen: "", bar: "", panel: "", selection: "", field: "" },
  },
};

const colours = <K extends string>(given: Record<K, string>, own: () => RGBA): Record<K, RGBA> =>
  Object.fromEntries(
    Object.entries<string>(given).map(([role, hex]) => [role, hex === "" ? own() : RGBA.fromHex(hex)]),
  ) as Record<K, RGBA>;

export const themeNamed = (name: ThemeName): Theme => ({
  name,
  ink: colours(PALETTES[name].ink, () => RGBA.defaultForeground()),
  paper: colours(PALETTES[name].paper, () => RGBA.defaultBackground()),
  isColoured: name !== "none",
});

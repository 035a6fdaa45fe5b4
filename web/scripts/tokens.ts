/** The design tokens, made from one brand hue. A pair with too little contrast fails the build. */
import { contrast, fitGamut, type Oklch, toCss } from "./oklch.ts";

/** Which set of colours. */
export type Scheme = "light" | "dark";
/** Token name (without its prefix) to colour. */
export type Palette = Readonly<Record<string, Oklch>>;

/** One pair that people read or aim at, and the least contrast it needs. */
export interface Pair {
  readonly on: string;
  readonly ink: string;
  readonly least: number;
}

const TEXT = 4.5;
const CONTROL = 3;
const WARM = 80;
const DEAL = 42;
const ALERT = 27;

/** Make both palettes from the brand's hue in OKLCH degrees. */
export function palette(hue: number, scheme: Scheme): Palette {
  const tone = (l: number, c: number, h: number): Oklch => fitGamut({ l, c, h });
  const light: Record<string, Oklch> = {
    bg: tone(0.982, 0.007, WARM),
    surface: tone(0.998, 0.002, WARM),
    sunken: tone(0.958, 0.01, WARM),
    line: tone(0.905, 0.012, WARM),
    "control-line": tone(0.61, 0.02, WARM),
    text: tone(0.25, 0.02, hue),
    muted: tone(0.455, 0.018, hue),
    brand: tone(0.46, 0.105, hue),
    "brand-hover": tone(0.4, 0.1, hue),
    "brand-soft": tone(0.945, 0.035, hue),
    "brand-ink": tone(0.37, 0.085, hue),
    "on-brand": tone(0.995, 0.004, hue),
    deal: tone(0.49, 0.135, DEAL),
    "deal-soft": tone(0.958, 0.03, 75),
    "deal-ink": tone(0.42, 0.1, DEAL),
    alert: tone(0.5, 0.17, ALERT),
    "alert-soft": tone(0.962, 0.02, ALERT),
    focus: tone(0.52, 0.16, 255),
  };
  const dark: Record<string, Oklch> = {
    bg: tone(0.19, 0.008, WARM),
    surface: tone(0.235, 0.009, WARM),
    sunken: tone(0.285, 0.01, WARM),
    line: tone(0.345, 0.012, WARM),
    "control-line": tone(0.6, 0.015, WARM),
    text: tone(0.955, 0.008, WARM),
    muted: tone(0.77, 0.012, WARM),
    brand: tone(0.78, 0.12, hue),
    "brand-hover": tone(0.85, 0.11, hue),
    "brand-soft": tone(0.32, 0.045, hue),
    "brand-ink": tone(0.87, 0.09, hue),
    "on-brand": tone(0.2, 0.03, hue),
    deal: tone(0.8, 0.12, 62),
    "deal-soft": tone(0.32, 0.035, 62),
    "deal-ink": tone(0.88, 0.08, 70),
    alert: tone(0.77, 0.13, ALERT),
    "alert-soft": tone(0.3, 0.045, ALERT),
    focus: tone(0.78, 0.12, 250),
  };
  return scheme === "light" ? light : dark;
}

const inksOn = (inks: readonly string[], grounds: readonly string[], least: number): Pair[] =>
  grounds.flatMap((on) => inks.map((ink) => ({ on, ink, least })));

/** Every pair that the style sheets may use. */
export const PAIRS: readonly Pair[] = [
  ...inksOn(["text", "muted", "brand-ink", "alert"], ["bg", "surface", "sunken"], TEXT),
  ...inksOn(["text", "brand-ink", "muted"], ["brand-soft"], TEXT),
  ...inksOn(["text", "deal-ink", "deal"], ["deal-soft"], TEXT),
  ...inksOn(["deal", "deal-ink", "brand"], ["surface", "bg"], TEXT),
  ...inksOn(["text", "alert"], ["alert-soft"], TEXT),
  ...inksOn(["on-brand"], ["brand", "brand-hover"], TEXT),
  ...inksOn(["control-line", "focus", "brand"], ["bg", "surface", "sunken"], CONTROL),
];

/** Name each pair that has too little contrast; an empty list is a pass. */
export function contrastFaults(hue: number): string[] {
  return (["light", "dark"] as const).flatMap((scheme) => {
    const colours = palette(hue, scheme);
    return PAIRS.flatMap(({ on, ink, least }) => {
      const ground = colours[on];
      const front = colours[ink];
      if (!ground || !front) return [`${scheme}: there is no token ${ground ? ink : on}`];
      const ratio = contrast(ground, front);
      return ratio >= least ? [] : [`${scheme}: ${ink} on ${on} is ${ratio.toFixed(2)}:1, needs ${least}:1`];
    });
  });
}

const scale = (ratio: number): string =>
  [-1, 0, 1, 2, 3, 4, 5]
    .map((step) => `--aisle-step-${step + 1}: calc(var(--aisle-base) * ${(ratio ** step).toFixed(3)});`)
    .join(" ");

const colourLines = (colours: Palette): string =>
  Object.entries(colours)
    .map(([name, colour]) => `  --aisle-${name}: ${toCss(colour)};`)
    .join("\n");

const SHARED = `
  --aisle-font: "Aisle Sans", "Inter Variable", system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif;
  --aisle-base: max(1rem, 16px);
  --aisle-1: 4px; --aisle-2: 8px; --aisle-3: 12px; --aisle-4: 16px; --aisle-5: 20px; --aisle-6: 24px;
  --aisle-8: 32px; --aisle-10: 40px; --aisle-12: 48px; --aisle-16: 64px;
  --aisle-radius-s: 6px; --aisle-radius: 12px; --aisle-radius-full: 999px;
  --aisle-fast: 120ms; --aisle-mid: 200ms; --aisle-slow: 320ms; --aisle-ease: cubic-bezier(0.2, 0.7, 0.2, 1);`;

const SHADOWS: Record<Scheme, string> = {
  light: `  --aisle-shadow-1: 0 1px 2px rgb(40 32 20 / 0.06), 0 2px 8px rgb(40 32 20 / 0.05);
  --aisle-shadow-2: 0 4px 12px rgb(40 32 20 / 0.08), 0 16px 48px rgb(40 32 20 / 0.14);`,
  dark: `  --aisle-shadow-1: 0 1px 2px rgb(0 0 0 / 0.4);
  --aisle-shadow-2: 0 4px 12px rgb(0 0 0 / 0.4), 0 16px 48px rgb(0 0 0 / 0.5);`,
};

const set = (hue: number, scheme: Scheme): string =>
  `  color-scheme: ${scheme};\n${colourLines(palette(hue, scheme))}\n${SHADOWS[scheme]}`;

/** Write the style sheet that every surface reads; throws when a pair has too little contrast. */
export function tokensCss(hue: number): string {
  const faults = contrastFaults(hue);
  if (faults.length > 0) throw new Error(`Contrast is too low for hue ${hue}:\n  ${faults.join("\n  ")}`);
  return `/* Made by scripts/tokens.ts from the brand hue ${hue}; change that file, not this one. */
:root, :host {
${set(hue, "light")}${SHARED}
  ${scale(1.2)}
}
@media (min-width: 60rem) { :root { ${scale(1.25)} } }
:root[data-surface="kiosk"] { ${scale(1.333)} }
@media (prefers-color-scheme: dark) {
:root:not([data-theme="light"]), :host(:not([data-theme="light"])) {
${set(hue, "dark")}
}
}
:root[data-theme="dark"], :host([data-theme="dark"]) {
${set(hue, "dark")}
}
@media (prefers-reduced-motion: reduce) {
:root, :host { --aisle-fast: 0ms; --aisle-mid: 0ms; --aisle-slow: 0ms; }
}
`;
}

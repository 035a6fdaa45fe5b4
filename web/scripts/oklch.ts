/** OKLCH colour arithmetic: gamut mapping by chroma reduction and WCAG 2.2 contrast. */

/** Lightness in [0, 1], chroma from 0, hue in degrees. */
export interface Oklch {
  readonly l: number;
  readonly c: number;
  readonly h: number;
}

type Rgb = readonly [number, number, number];

/** Convert to linear-light sRGB; channels outside [0, 1] are out of gamut (Ottosson, 2020). */
export function toLinearRgb({ l, c, h }: Oklch): Rgb {
  const a = c * Math.cos((h * Math.PI) / 180);
  const b = c * Math.sin((h * Math.PI) / 180);
  const long = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (l - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
    -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
    -0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short,
  ];
}

/** Whether every sRGB screen can show `colour`. */
export function inGamut(colour: Oklch): boolean {
  return toLinearRgb(colour).every((channel) => channel >= -1e-4 && channel <= 1 + 1e-4);
}

/** Lower the chroma, keeping lightness and hue, until sRGB can show the colour. */
export function fitGamut(colour: Oklch): Oklch {
  if (inGamut(colour)) return colour;
  let low = 0;
  let high = colour.c;
  for (let step = 0; step < 24; step++) {
    const middle = (low + high) / 2;
    if (inGamut({ ...colour, c: middle })) low = middle;
    else high = middle;
  }
  return { ...colour, c: low };
}

/** Relative luminance as WCAG 2.2 defines it. */
export function luminance(colour: Oklch): number {
  const [r, g, b] = toLinearRgb(colour).map((channel) => Math.min(1, Math.max(0, channel))) as unknown as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** WCAG 2.2 contrast ratio, 1 to 21. */
export function contrast(one: Oklch, other: Oklch): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** Write a colour as CSS. */
export function toCss({ l, c, h }: Oklch): string {
  return `oklch(${l.toFixed(3)} ${c.toFixed(4)} ${h.toFixed(1)})`;
}

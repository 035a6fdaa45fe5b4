import { describe, expect, it } from "vitest";
import { contrast, fitGamut, inGamut } from "../scripts/oklch.ts";
import { contrastFaults, palette, tokensCss } from "../scripts/tokens.ts";

const WHITE = { l: 1, c: 0, h: 0 };
const BLACK = { l: 0, c: 0, h: 0 };

describe("colour arithmetic", () => {
  it("gives black on white the contrast that WCAG names", () => {
    expect(contrast(BLACK, WHITE)).toBeCloseTo(21, 1);
    expect(contrast(WHITE, BLACK)).toBeCloseTo(21, 1);
  });

  it("brings a colour that no screen can show into sRGB by giving up chroma alone", () => {
    const wild = { l: 0.6, c: 0.4, h: 150 };
    const tame = fitGamut(wild);
    expect(inGamut(wild)).toBe(false);
    expect(inGamut(tame)).toBe(true);
    expect([tame.l, tame.h]).toEqual([wild.l, wild.h]);
  });
});

describe("tokens", () => {
  it("are readable for every brand hue, light and dark", () => {
    const faults = Array.from({ length: 72 }, (_, step) => contrastFaults(step * 5)).flat();
    expect(faults).toEqual([]);
  });

  it("use colours that every screen can show", () => {
    for (const scheme of ["light", "dark"] as const) {
      for (const colour of Object.values(palette(155, scheme))) expect(inGamut(colour)).toBe(true);
    }
  });

  it("are written for both schemes and for people who want no motion", () => {
    const css = tokensCss(155);
    expect(css.match(/--aisle-brand:/g)).toHaveLength(3);
    expect(css).toContain("prefers-reduced-motion");
  });
});

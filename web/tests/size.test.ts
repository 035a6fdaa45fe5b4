/** What a page pays for the widget, from the built files: run `npm run build` first. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";

const DIST = `${process.cwd()}/dist/`;
const BEFORE_CLICK_KB = 12;
const IN_ALL_KB = 150;

const gzipped = (path: string): number => gzipSync(readFileSync(path), { level: 9 }).length / 1000;

/** The chat's chunks: what the panel imports, at once or later. */
function chunks(name: string, found = new Set<string>()): Set<string> {
  if (found.has(name)) return found;
  found.add(name);
  const text = readFileSync(`${DIST}assets/${name}`, "utf8");
  for (const [, other = ""] of text.matchAll(/["'`]\.\/([\w-]+\.js)["'`]/g)) chunks(other, found);
  return found;
}

describe.skipIf(!existsSync(`${DIST}widget.js`))("the widget", () => {
  it(`weighs at most ${BEFORE_CLICK_KB} kB before the first click`, () => {
    expect(gzipped(`${DIST}widget.js`)).toBeLessThanOrEqual(BEFORE_CLICK_KB);
  });

  it(`weighs at most ${IN_ALL_KB} kB in all, with every language and the font`, () => {
    const panel = readdirSync(`${DIST}assets`).find((name) => name.startsWith("panel-")) ?? "";
    const scripts = [...chunks(panel)].map((name) => gzipped(`${DIST}assets/${name}`));
    expect(scripts.length).toBeGreaterThan(4);
    const font = readFileSync(`${DIST}assets/fonts/inter-latin-wght-normal.woff2`).length / 1000;
    const all = gzipped(`${DIST}widget.js`) + scripts.reduce((sum, one) => sum + one, 0) + font;
    expect(all).toBeLessThanOrEqual(IN_ALL_KB);
  });
});

import { describe, expect, it } from "vitest";
import type { DisplayState, KioskMode } from "../src/api/types.ts";
import { WORDS as EN } from "../src/kiosk/words/en.ts";
import { contactOf, leadOf, loadWords, reasonOf, speak, WORDS } from "../src/kiosk/words.ts";
import { directionOf, LANGUAGES, type Language } from "../src/widget/language.ts";
import { item } from "./help.ts";

const CODES = Object.keys(LANGUAGES) as Language[];
/** Words that are the same in another language. */
const SAME: Readonly<Record<string, readonly string[]>> = { es: ["no"] };

/** Every text of a language by its path; functions say what they say of 3. */
function texts(value: unknown, path = ""): [string, string][] {
  if (typeof value === "string") return [[path, value]];
  if (typeof value === "function") return [[path, String(value(3))]];
  return Object.entries(value as object).flatMap(([key, inner]) => texts(inner, path ? `${path}.${key}` : key));
}

describe.each(CODES)("the kiosk in %s", (code) => {
  it("has every text, and none of them in English", async () => {
    const here = texts(await loadWords(code));
    const english = new Map(texts(EN));
    expect(here.map(([path]) => path)).toEqual([...english.keys()]);
    expect(here.filter(([, text]) => text.trim() === "" || text.includes("undefined"))).toEqual([]);
    const same = here.filter(([path, text]) => english.get(path) === text).map(([path]) => path);
    expect(same).toEqual(code === "en" ? [...english.keys()] : (SAME[code] ?? []));
  });

  it("keeps what is read in passing short", async () => {
    const words = await loadWords(code);
    const passing = [words.welcome("Maya"), words.inspire, words.calm, words.help, words.consentTitle, words.codeTitle];
    for (const text of [...passing, ...words.prompts]) expect(text.split(/\s+/).length).toBeLessThanOrEqual(12);
    for (const text of [words.enrol, words.notMe, words.forgetMe, words.why])
      expect(text.length).toBeLessThanOrEqual(28);
  });

  it("says what a display means, and sets the page's language and direction", async () => {
    expect(await speak(code)).toBe(true);
    expect([document.documentElement.lang, document.documentElement.dir]).toEqual([code, directionOf(code)]);
    const words = { name: "Maya", contact: "the service desk at the entrance", shared: false };
    const state = (mode: KioskMode): DisplayState => ({
      kiosk_id: "k",
      revision: 1,
      mode,
      privacy: { recognised: true, text: "" },
      headline: "from the api",
      items: [],
      retailer: "Fresh & Co",
      words,
    });
    expect(leadOf(state("welcome"))[0]).toBe(WORDS.welcome("Maya"));
    expect(leadOf(state("attract"))[0]).toContain("Fresh & Co");
    for (const mode of ["calm", "help"] as const) expect(leadOf(state(mode))[1]).toContain(WORDS.desk);
    expect(contactOf("room 7")).toBe("room 7");
    const told = reasonOf(item("p", { reason: "Bought by 4 of 10.", reason_code: "popular" }));
    expect(told).toBe(code === "en" ? "Bought by 4 of 10." : WORDS.reasons.popular);
    await speak("en");
  });
});

import { describe, expect, it } from "vitest";
import { LANGUAGES, LAUNCHER, type Language, pickLanguage } from "../src/widget/language.ts";
import * as EN from "../src/widget/words/en.ts";
import { loadWords } from "../src/widget/words.ts";

const CODES = Object.keys(LANGUAGES) as Language[];
const ARGUMENTS = ["Maya", "Maya"];

describe.each(CODES)("%s", (code) => {
  it("has every word, and none of them in English", async () => {
    const { words, basedOn } = await loadWords(code);
    expect(Object.keys(words)).toEqual(Object.keys(EN.WORDS));
    expect(Object.keys(basedOn)).toEqual(Object.keys(EN.BASED_ON));
    const same = Object.entries(words).filter(([key, word]) => {
      const english = EN.WORDS[key as keyof typeof EN.WORDS];
      const say = (one: unknown): unknown =>
        typeof one === "function" ? one(key.startsWith("rateScale") || key === "position" ? 3 : ARGUMENTS[0]) : one;
      return (
        say(word) === say(english) &&
        !["total", "assistant"].includes(key) &&
        !/^(Conversation|Total)/.test(String(say(word)))
      );
    });
    if (code !== "en") expect(same).toEqual([]);
  });

  it("counts in its own way", async () => {
    const { words } = await loadWords(code);
    expect(new Set([1, 2, 3].map((count) => words.items(count))).size).toBe(3);
    expect(new Set([1, 2, 3].map((count) => words.position(count))).size).toBe(3);
    expect(words.expected(0)).not.toBe(words.expected(1));
    expect([1, 2, 3, 4, 5].map((score) => words.rateScale(score)).every(Boolean)).toBe(true);
    expect(LAUNCHER[code].unread(3)).toContain("3");
  });
});

describe("the language", () => {
  it("is the first wish that the interface can speak", () => {
    expect(pickLanguage([null, "de-AT", "fr"])).toBe("de");
    expect(pickLanguage(["fi", "AR-eg"])).toBe("ar");
    expect(pickLanguage(["fi", "__proto__", ""])).toBe("en");
  });
});

/** The kiosk's words in the language that is spoken now, and what fits on a screen. */
import type { DisplayState, ItemCard } from "../api/types.ts";
import { directionOf, type Language } from "../widget/language.ts";
import { WORDS as EN, type Words } from "./words/en.ts";

const LOADERS: Readonly<Record<Language, () => Promise<{ readonly WORDS: Words }>>> = {
  en: async () => ({ WORDS: EN }),
  de: () => import("./words/de.ts"),
  es: () => import("./words/es.ts"),
  fr: () => import("./words/fr.ts"),
  ar: () => import("./words/ar.ts"),
};
/** The setting that the api has unless the shop says otherwise; each language has its own words for it. */
const USUAL_CONTACT = EN.desk;

/** What the screen says now. */
export let WORDS: Words = EN;
/** In which language. */
export let language: Language = "en";

/** The words of a language. */
export const loadWords = async (code: Language): Promise<Words> => (await LOADERS[code]()).WORDS;

/** Speak a language from the next drawing on; false, and nothing changes, when its words cannot be loaded. */
export async function speak(code: Language): Promise<boolean> {
  const words = await loadWords(code).catch(() => undefined);
  if (!words) return false;
  WORDS = words;
  language = code;
  document.documentElement.lang = code;
  document.documentElement.dir = directionOf(code);
  return true;
}

/** Where a person helps, in the shopper's language where the shop has not named its own place. */
export const contactOf = (contact: string): string => (contact === USUAL_CONTACT ? WORDS.desk : contact);

/** Why an item is here: the api's own sentence in English, else what its code stands for. */
export const reasonOf = ({ reason, reason_code: code }: ItemCard): string =>
  language === "en" ? reason : (WORDS.reasons[code ?? ""] ?? "");

/** Headline and subline of a display, in the language that is spoken now. */
export function leadOf({ mode, words, headline, subline, retailer }: DisplayState): readonly [string, string] {
  if (!words) return [headline, subline ?? ""];
  const { name, contact, shared } = words;
  switch (mode) {
    case "attract":
      return [WORDS.attract(retailer), subline ? WORDS.popular : ""];
    case "welcome":
      return [WORDS.welcome(name), shared ? WORDS.popular : WORDS.picked];
    case "inspire":
      return [WORDS.inspire, shared ? WORDS.popular : WORDS.discover];
    case "calm":
      return [WORDS.calm, WORDS.personHelps(contactOf(contact))];
    case "help":
      return [WORDS.help, WORDS.personHelps(contactOf(contact))];
    default:
      return [headline, subline ?? ""];
  }
}

/** A product's name without its package size, to be read in passing. */
export const shortName = (name: string): string => name.replace(/,\s*[\d.]+[^,]*$/, "");

/** How many words a shopper has to read. */
export const countWords = (...texts: readonly (string | undefined | null)[]): number =>
  texts.reduce((sum, text) => sum + (text?.trim() ? text.trim().split(/\s+/).length : 0), 0);

/** The reasons that still fit on a screen that already has `used` words, in the items' order. */
export function reasonsThatFit(reasons: readonly string[], used: number, most = 40): (string | undefined)[] {
  let total = used;
  return reasons.map((reason) => {
    const words = countWords(reason);
    if (total + words > most) return undefined;
    total += words;
    return reason;
  });
}

/** The words of Today; `words.ar.ts` has the Arabic ones. */
import { ar } from "./words.ar.ts";
import { en } from "./words.en.ts";

export const TODAY_WORDS = { en, ar };

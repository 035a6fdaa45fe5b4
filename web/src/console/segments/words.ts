/** The words of Segments; `words.ar.ts` has the Arabic ones. */
import { ar } from "./words.ar.ts";
import { en } from "./words.en.ts";

export const SEGMENT_WORDS = { en, ar };

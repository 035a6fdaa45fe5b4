/** The inbox's words; `words.ar.ts` has the Arabic ones. */
import { ar } from "./words.ar.ts";
import { en } from "./words.en.ts";

export const INBOX_WORDS = { en, ar };

/** The words of trust. */
import { ar } from "./words.ar.ts";
import { en } from "./words.en.ts";

export const TRUST_WORDS = { en, ar };

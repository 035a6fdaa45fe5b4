/** The words of the creatives' section. */
import { ar } from "./words.ar.ts";
import { en } from "./words.en.ts";

export const CREATIVES_WORDS = { en, ar };

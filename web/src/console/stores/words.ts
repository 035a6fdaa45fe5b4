/** The words of stores and kiosks. */
import { ar } from "./words.ar.ts";
import { en } from "./words.en.ts";

export const STORES_WORDS = { en, ar };

/** The display policy's words. */
import { ar } from "./words.ar.ts";
import { en } from "./words.en.ts";

export const DISPLAY_WORDS = { en, ar };

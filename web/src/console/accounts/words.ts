/** The words of accounts. */
import { ar } from "./words.ar.ts";
import { en } from "./words.en.ts";

export const ACCOUNTS_WORDS = { en, ar };

/** The words of Customers; `words.ar.ts` has the Arabic ones. */
import { ar } from "./words.ar.ts";
import { en } from "./words.en.ts";

export const CUSTOMER_WORDS = { en, ar };

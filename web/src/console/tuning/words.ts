/** The words of the dials; `words.ar.ts` has the Arabic ones. */
import { ar } from "./words.ar.ts";
import { en } from "./words.en.ts";

export const TUNING_WORDS = { en, ar };
export type TuningWords = typeof en;

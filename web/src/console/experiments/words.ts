/** The words of experiments; `words.ar.ts` has the Arabic ones. */
import { ar } from "./words.ar.ts";
import { en } from "./words.en.ts";

export const EXPERIMENT_WORDS = { en, ar };
export type ExperimentWords = typeof en;

/** The words of campaigns; `words.ar.ts` has the Arabic ones. */
import { ar } from "./words.ar.ts";
import { en } from "./words.en.ts";

export const CAMPAIGN_WORDS = { en, ar };
export type CampaignWords = typeof en;

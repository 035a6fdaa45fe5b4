/** Who answers: read from whatever the api says about it. */
import type { Hand } from "../api/types.ts";

const STATES = ["bot", "queued", "human", "returned", "closed"] as const;
type Loose = Readonly<Record<string, unknown>>;

export const BOT: Hand = { state: "bot" };

const number = (value: unknown): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);

/** Who answers, as `state` events and answers tell it; undefined when they tell nothing. */
export function handOf(told: unknown): Hand | undefined {
  if (typeof told === "boolean") return told ? { state: "queued" } : undefined;
  if (typeof told === "string") return handOf({ state: told });
  if (typeof told !== "object" || told === null) return undefined;
  const loose = told as Loose;
  const state = STATES.find((one) => one === loose.state);
  if (!state) return undefined;
  return {
    // Who waits while nobody is there leaves a message instead.
    state: state === "queued" && loose.open === false ? "closed" : state,
    position: number(loose.position),
    wait_s: number(loose.expected_wait_s),
    agent: typeof loose.agent === "string" && loose.agent ? loose.agent : null,
    rate: loose.rate === true,
  };
}

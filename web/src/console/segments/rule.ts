/** A rule as the builder edits it, and as the api takes it. */
import type { Answer } from "../client.ts";
import { units } from "../currency.ts";

export type Segments = Answer<"/v1/segments", "get">;
export type Segment = Segments["segments"][number];
export type Vocabulary = Answer<"/v1/segments/vocabulary", "get">;
export type Kind = "feature" | "label" | "segment";
export type How = "at_least" | "at_most" | "above" | "below" | "is" | "is_not";

export interface Draft {
  readonly key: number;
  readonly kind: Kind;
  readonly name: string;
  readonly how: How;
  /** What is typed: money in whole currency and shares in percent; empty for any value of a label. */
  readonly value: string;
}
export interface Condition {
  kind: Kind;
  name: string;
  how: How;
  value: string | number | boolean | null;
}
export interface Rule {
  match: "all" | "any";
  conditions: Condition[];
}

const PERCENT = 100;
const DIGITS = 12;

/** How many of the feature's own units one of what is typed is. */
export function scaleOf(unit: string | undefined, currency: string): number {
  if (unit === "money") return units(currency);
  return unit === "share" ? 1 / PERCENT : 1;
}

const rounded = (value: number): number => Number(value.toPrecision(DIGITS));
const unitOf = (words: Vocabulary, name: string): string | undefined =>
  words.features.find((one) => one.name === name)?.unit;

/** The condition that a new line begins with. */
export function first(words: Vocabulary, key: number): Draft {
  return { key, kind: "feature", name: words.features[0]?.name ?? "orders", how: "at_least", value: "" };
}

function conditionOf(words: Vocabulary, { kind, name, how, value }: Draft, currency: string): Condition | undefined {
  if (kind === "feature") {
    const number = Number(value);
    if (value.trim() === "" || !Number.isFinite(number)) return undefined;
    return { kind, name, how, value: rounded(number * scaleOf(unitOf(words, name), currency)) };
  }
  if (kind === "segment") return value ? { kind, name: "segment", how, value } : undefined;
  const said = value === "True" ? true : value === "False" ? false : value;
  return name ? { kind, name, how, value: said === "" ? null : said } : undefined;
}

/** A rule of the drafts; undefined while a value is missing. */
export function ruleOf(
  words: Vocabulary,
  match: "all" | "any",
  drafts: readonly Draft[],
  currency: string,
): Rule | undefined {
  const conditions = drafts.map((draft) => conditionOf(words, draft, currency)).filter((one) => one !== undefined);
  return conditions.length > 0 && conditions.length === drafts.length ? { match, conditions } : undefined;
}

/** The drafts of a rule that is stored. */
export function draftsOf(
  words: Vocabulary,
  rule: unknown,
  currency: string,
): { match: "all" | "any"; drafts: readonly Draft[] } {
  const { match, conditions } = rule as Rule;
  const drafts = conditions.map(({ kind, name, how, value }, key): Draft => {
    if (kind === "feature")
      return { key, kind, name, how, value: String(rounded(Number(value) / scaleOf(unitOf(words, name), currency))) };
    const said = value === true ? "True" : value === false ? "False" : String(value ?? "");
    return { key, kind, name, how, value: said };
  });
  return { match, drafts };
}

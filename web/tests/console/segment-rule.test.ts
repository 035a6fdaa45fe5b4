import { expect, test } from "vitest";
import { formats } from "../../src/console/language.tsx";
import { type Draft, draftsOf, first, ruleOf, type Vocabulary } from "../../src/console/segments/rule.ts";

const feature = (name: string, unit: string) => ({ name, title: name, unit, least: 0, mean: 1, most: 9 });
const WORDS: Vocabulary = {
  features: [feature("orders", "number"), feature("spent", "money"), feature("promo_share", "share")],
  labels: [{ name: "mood", values: ["happy"] }],
  segments: [{ name: "s1", values: ["Rare"] }],
  most_conditions: 12,
};
const draft = (more: Partial<Draft>): Draft => ({ ...first(WORDS, 0), ...more });

test.each([
  ["EUR", 1250],
  ["JPY", 12.5],
  ["KWD", 12_500],
  ["HUF", 1250],
])("money is typed in whole %s and shares in percent", (currency, minor) => {
  const drafts = [draft({ name: "spent", value: "12.5" }), draft({ name: "promo_share", how: "below", value: "60" })];
  const rule = ruleOf(WORDS, "all", drafts, currency);
  expect(rule?.conditions.map(({ value }) => value)).toEqual([minor, 0.6]);
  expect(draftsOf(WORDS, rule, currency).drafts.map(({ value }) => value)).toEqual(["12.5", "60"]);
});

test.each([
  ["EUR", 123_456, "€1,234.56"],
  ["JPY", 123_456, "¥123,456"],
  ["KWD", 123_456, "KWD 123.456"],
])("%s is written with its own digits", (currency, minor, written) => {
  expect(formats("en", currency).money(minor).replaceAll(/\s/g, " ")).toBe(written);
});

test("a rule that is stored is edited as it was typed", () => {
  const drafts = [
    draft({ name: "promo_share", value: "33.3" }),
    draft({ key: 1, kind: "label", name: "mood", how: "is_not", value: "" }),
    draft({ key: 2, kind: "label", name: "vip", how: "is", value: "True" }),
    draft({ key: 3, kind: "segment", name: "segment", how: "is", value: "s1" }),
  ];
  const rule = ruleOf(WORDS, "any", drafts, "USD");
  expect(rule?.conditions.map(({ value }) => value)).toEqual([0.333, null, true, "s1"]);
  expect(draftsOf(WORDS, rule, "USD")).toEqual({ match: "any", drafts });
});

test("without a value there is no rule yet", () => {
  expect(ruleOf(WORDS, "all", [draft({ value: "" })], "USD")).toBeUndefined();
  expect(ruleOf(WORDS, "all", [draft({ value: "many" })], "USD")).toBeUndefined();
  expect(ruleOf(WORDS, "all", [], "USD")).toBeUndefined();
});

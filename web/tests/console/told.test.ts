import { expect, test } from "vitest";
import { formats } from "../../src/console/language.tsx";
import { FEATURES } from "../../src/console/told/features.ar.ts";
import { segmentInArabic } from "../../src/console/told/names.ts";
import { boundsInArabic, inArabic } from "../../src/console/told/rules.ts";
import { SENTENCES } from "../../src/console/told/sentences.ar.ts";
import { Facts } from "../../src/console/told/told.tsx";

const LATIN_SENTENCE = /[a-z]{2,}(?: [a-z'’-]+){3,}/;
const write = formats("ar", "EUR");
const said = (code: string, facts: Readonly<Record<string, unknown>>): string =>
  SENTENCES[code]?.(new Facts(facts, write)) ?? "";

test("every sentence is Arabic, whatever is missing of its facts", () => {
  for (const code of Object.keys(SENTENCES)) {
    const sentence = said(code, {});
    expect(sentence, code).toMatch(/[\u0600-\u06ff]/);
    expect(sentence, code).not.toMatch(/undefined|NaN|null/);
    expect(sentence, code).not.toMatch(LATIN_SENTENCE);
  }
});

test("facts are written as the console writes them", () => {
  const facts = { metric: "spend", arm: "on", control: "off", difference: 250, relative: 0.1, low: 100, high: 400 };
  const sentence = said("experiment.effect", { ...facts, better: true, verdict: "better" });
  expect(sentence).toContain("+€2.50".replace("€2.50", write.money(250)));
  expect(sentence).toContain(write.share(0.1));
  expect(said("pacing.ahead", { spent_minor: 500, planned_minor: 300, currency: "JPY" })).toContain(
    write.money(500, "JPY"),
  );
});

test("rules of segments are worded from their conditions and bounds", () => {
  const rule = {
    match: "all" as const,
    conditions: [
      { kind: "feature" as const, name: "spent", how: "at_least" as const, value: 5000 },
      { kind: "label" as const, name: "promotion_seeker", how: "is_not" as const, value: null },
    ],
  };
  expect(inArabic(rule, write)).toBe(
    `${FEATURES.spent} لا تقل عن ${write.money(5000)} وليسوا موسومون بـ\u2068promotion seeker\u2069.`,
  );
  expect(boundsInArabic({ orders: [5.5, null], promo_share: [null, 0.4] }, ["Coffee"], write)).toBe(
    `${FEATURES.orders} لا تقل عن 6، ${FEATURES.promo_share} لا تزيد على ${write.share(0.4, 0)}. ينفقون أكثر من غيرهم على: \u2068Coffee\u2069.`,
  );
  expect(boundsInArabic(null, [], write)).toBe("بين الشرائح الأخرى.");
});

test("trained segments have Arabic names, and what somebody named keeps its name", () => {
  expect(segmentInArabic("Rare, small baskets, promotion seekers")).toBe("نادرون، سلال صغيرة، يبحثون عن العروض");
  expect(segmentInArabic("Frequent, big baskets, soft drinks (2)")).toBe(
    "متكررون، سلال كبيرة، \u2068soft drinks\u2069 (2)",
  );
  expect(segmentInArabic("Rare birds, and others")).toBe("Rare birds, and others");
});

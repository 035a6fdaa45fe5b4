import { describe, expect, it } from "vitest";
import { dueGreeting, type GreetingLog, matchesPath, noted, readRules, textOf } from "../src/widget/greetings.ts";

const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;
const NEVER: GreetingLog = { shown: [] };
const RULE = { id: "cart", text: { en: "Can I help?", de: "Kann ich helfen?" }, paths: ["/cart*"], after_s: 20 };
const here = { path: "/cart/1", here_s: 30, scrolled: 0, idle_s: 0, leaving: false };
const due = (log: GreetingLog, signals = {}, rules = [RULE] as object[]): string | undefined =>
  dueGreeting(readRules(JSON.stringify(rules)), { ...here, ...signals }, log, NOW)?.id;

describe("a greeting", () => {
  it("comes when its rule fits, and not before", () => {
    expect(due(NEVER)).toBe("cart");
    expect(due(NEVER, { here_s: 19 })).toBeUndefined();
    expect(due(NEVER, { path: "/" })).toBeUndefined();
    expect(due(NEVER, {}, [{ ...RULE, leaving: true }])).toBeUndefined();
    expect(due(NEVER, { leaving: true }, [{ ...RULE, leaving: true }])).toBe("cart");
    expect(due(NEVER, { scrolled: 40 }, [{ ...RULE, scrolled: 50 }])).toBeUndefined();
  });

  it("never comes in the first five seconds, whatever the rule says", () => {
    expect(due(NEVER, { here_s: 4 }, [{ ...RULE, after_s: 0 }])).toBeUndefined();
  });

  it("comes once a day at most, whichever rule", () => {
    const log = noted(NEVER, { id: "other" }, NOW - 23 * HOUR);
    expect(due(log)).toBeUndefined();
    expect(due(noted(NEVER, { id: "other" }, NOW - 25 * HOUR))).toBe("cart");
  });

  it("comes once a week unless its rule says more, and never more than three times", () => {
    const days = (...all: number[]): GreetingLog => ({ shown: all.map((day) => ["cart", NOW - day * 24 * HOUR]) });
    expect(due(days(2))).toBeUndefined();
    expect(due(days(2), {}, [{ ...RULE, per_week: 2 }])).toBe("cart");
    expect(due(days(2, 3, 4), {}, [{ ...RULE, per_week: 99 }])).toBeUndefined();
    expect(due(days(8))).toBe("cart");
  });

  it("is quiet for a week after one was closed, and for a day after the chat was used", () => {
    expect(due(noted(NEVER, { dismissed: NOW - 6 * 24 * HOUR }, NOW))).toBeUndefined();
    expect(due(noted(NEVER, { opened: NOW - 2 * HOUR }, NOW))).toBeUndefined();
    expect(due(noted(NEVER, { opened: NOW - 25 * HOUR }, NOW))).toBe("cart");
  });

  it("speaks the page's language, else English", () => {
    const [rule] = readRules(JSON.stringify([RULE]));
    expect(rule && [textOf(rule, "de"), textOf(rule, "fr")]).toEqual(["Kann ich helfen?", "Can I help?"]);
  });

  it("survives rules that are none", () => {
    expect(readRules("{oops")).toEqual([]);
    expect(readRules('[1, {"id": "x"}]')).toEqual([]);
    expect(matchesPath("/a.b", ["/a?b"])).toBe(false);
  });
});

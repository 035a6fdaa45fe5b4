import { expect, test } from "vitest";
import { asValue, spoken } from "../../src/console/customers/values.ts";

test("what staff type becomes a truth, a number or a word", () => {
  expect([asValue("yes"), asValue(" No "), asValue("نعم")]).toEqual([true, false, true]);
  expect([asValue("3"), asValue("-0.5")]).toEqual([3, -0.5]);
  expect([asValue("weekly"), asValue("every few days")]).toEqual(["weekly", "every few days"]);
  expect(asValue("  ")).toBe("");
});

test("names are said with spaces", () => {
  expect(spoken("lapse_risk")).toBe("lapse risk");
});

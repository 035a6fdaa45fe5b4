import { describe, expect, it } from "vitest";
import { change, count, moneyText, put, total } from "../src/shop/basket.ts";
import { item, usd } from "./help.ts";

describe("a basket", () => {
  it("counts the same item up instead of listing it twice", () => {
    const basket = put(put([], item("p1"), "d1"), item("p1"), "d2");
    expect(basket).toHaveLength(1);
    expect(count(basket)).toBe(2);
    expect(basket[0]?.decisionId).toBe("d1");
  });

  it("sums in whole minor units", () => {
    const basket = put(put([], item("a", { price: usd(10) }), null), item("b", { price: usd(20) }), null);
    expect(total(change(basket, "b", 2))).toEqual({ minor_units: 70, currency: "USD" });
    expect(total([])).toBeUndefined();
  });

  it("drops a line that has none left", () => {
    expect(change(put([], item("a"), null), "a", -1)).toEqual([]);
  });

  it("writes money with the currency's own digits", () => {
    expect(moneyText({ minor_units: 1234, currency: "USD" }, "en")).toBe("$12.34");
    expect(moneyText({ minor_units: 1234, currency: "JPY" }, "en")).toBe("¥1,234");
  });
});

import { render } from "lit";
import { describe, expect, it, vi } from "vitest";
import type { Basket } from "../src/api/types.ts";
import { basketButton, basketView } from "../src/shop/views.ts";
import { lastHere, next, tokenUrl } from "../src/shop/who.ts";
import { item, memory, usd } from "./help.ts";

const { product_id, name, price, picture_url } = item("p1");
const TWO: Basket = {
  lines: [{ product_id, name, price, picture_url, quantity: 2, amount: usd(598) }],
  pieces: 2,
  total: usd(598),
};

function drawn(...parts: ReturnType<typeof basketView>[]): HTMLElement {
  const place = document.createElement("div");
  render(parts, place);
  return place;
}

describe("the shop's basket", () => {
  it("is what the shop says, in pieces and money", () => {
    const place = drawn(basketButton(TWO, vi.fn()), basketView(TWO, vi.fn()));
    expect(place.querySelector(".badge")?.textContent).toBe("2");
    expect(place.querySelector(".line")?.textContent).toContain("$5.98");
    expect(drawn(basketView(undefined, vi.fn())).querySelector(".empty")).not.toBeNull();
  });

  it("asks for one more or one less", () => {
    const set = vi.fn();
    for (const step of drawn(basketView(TWO, set)).querySelectorAll("button")) step.click();
    expect(set.mock.calls).toEqual([
      ["p1", 1],
      ["p1", 3],
    ]);
  });
});

describe("who shops", () => {
  it("is the same visitor after a reload and when they sign in, and another one after a member", () => {
    const store = memory();
    const visitor = lastHere(store);
    expect(lastHere(store)).toEqual(visitor);
    const member = next(visitor, "m1", store);
    expect(member).toEqual({ member: "m1", visitor: visitor.visitor });
    expect(tokenUrl(member)).toBe(`/demo/session?visitor=${visitor.visitor}&member=m1`);
    expect(next(member, "", store).visitor).not.toBe(visitor.visitor);
    expect(next(member, "m2", store).visitor).not.toBe(visitor.visitor);
  });
});

import { describe, expect, it } from "vitest";
import { lines, markup } from "../src/lib/html.ts";
import { absolute } from "../src/lib/url.ts";
import { saidIn } from "../src/widget/chat.ts";
import { keepInside } from "../src/widget/focus.ts";
import { entries, entry, failure, spoken } from "../src/widget/messages.ts";
import { bot, item, usd } from "./help.ts";

const API = "http://api.test";
const COUPON = {
  code: "7KQM2XPA",
  discount: usd(100),
  text: "$1.00 off",
  expires_at: "2026-12-07T22:00:00Z",
  qr_url: "/v1/coupons/7KQM2XPA/qr.svg",
};

/** Parse what deep-chat would show. */
function draw(html: string | undefined): HTMLElement {
  const place = document.createElement("div");
  place.innerHTML = html ?? "";
  return place;
}

describe("markup", () => {
  it("escapes everything that it did not make itself", () => {
    const name = `<img src=x onerror="alert(1)">`;
    expect(markup`<b title="${name}">${name}</b>`.text).not.toContain("<img");
    expect(draw(lines("a <script>\nb").text).querySelector("script")).toBeNull();
  });

  it("lets only pictures of the api or the web through", () => {
    expect(absolute("/a.svg", API)).toBe(`${API}/a.svg`);
    expect(absolute("javascript:alert(1)", API)).toBe("");
  });
});

describe("a bot's message", () => {
  it("is one bubble with its cards, coupon and true old price", () => {
    const items = [item("p1", { regular_price: usd(399) }), item("p2", { regular_price: usd(199) })];
    const place = draw(entry(bot("Here you go", { items, coupon: COUPON, decision_id: "d1" }), API).html);
    expect(place.querySelectorAll("[data-testid=bot-message]")).toHaveLength(1);
    expect(place.querySelectorAll("[data-testid=product-card]")).toHaveLength(2);
    expect(place.querySelector("[data-testid=coupon-code]")?.textContent).toBe("7KQM2XPA");
    expect(place.querySelectorAll("s")).toHaveLength(1);
    expect(place.querySelector<HTMLElement>(".card")?.dataset.decision).toBe("d1");
    expect(place.querySelector("img")?.getAttribute("src")).toBe(`${API}/v1/products/p1/picture.svg`);
  });

  it("cannot smuggle elements in through a product's name or a reason", () => {
    const evil = item("p1", { name: `"><script>x</script>`, reason: "<b>x</b>" });
    const place = draw(entry(bot("x", { items: [evil] }), API).html);
    expect(place.querySelector("script, b")).toBeNull();
    expect(place.querySelector(".name")?.textContent).toContain("<script>");
  });

  it("shows three of many cards, but never hides a single one", () => {
    const hidden = (count: number): number =>
      draw(
        entry(bot("x", { items: Array.from({ length: count }, (_, n) => item(`p${n}`)) }), API).html,
      ).querySelectorAll(".card[hidden]").length;
    expect([3, 4, 5, 8].map(hidden)).toEqual([0, 0, 2, 5]);
  });

  it("offers quick replies only under the newest message", () => {
    const quick = { quick_replies: [{ title: "Any coupons?", text: "any coupons for me" }] };
    const all = entries([bot("one", quick), { message_id: "u", role: "user", text: "hi" }, bot("two", quick)], API);
    const chips = all.filter((one) => one.html?.includes("quick-reply"));
    expect(chips).toHaveLength(1);
    expect(all.at(-1)).toBe(chips[0]);
    expect(draw(chips[0]?.html).querySelector("button")?.dataset.text).toBe("any coupons for me");
  });

  it("is read out in few words", () => {
    expect(spoken(bot("These fit.", { items: [item("a"), item("b")], coupon: COUPON }))).toBe(
      "These fit. 2 products shown. Your coupon: $1.00 off.",
    );
  });

  it("that failed says what was kept and offers one thing to do", () => {
    const place = draw(failure("It is kept here.").html);
    expect(place.textContent).toContain("kept");
    expect(place.querySelectorAll("button")).toHaveLength(1);
  });
});

describe("what the shopper says", () => {
  it("is the command behind a quick reply, with the title that was shown", () => {
    expect(saidIn({ messages: [{ text: "Any coupons?", custom: { payload: "/coupon" } }] })).toEqual({
      text: "/coupon",
      title: "Any coupons?",
    });
    expect(saidIn({ messages: [{ text: "hello" }] })).toEqual({ text: "hello" });
  });
});

describe("focus", () => {
  it("goes round inside a modal chat", () => {
    document.body.innerHTML = `<section><button id="a">a</button><button id="b">b</button></section><button>out</button>`;
    const root = document.querySelector("section") as HTMLElement;
    root.querySelector<HTMLElement>("#b")?.focus();
    const event = new KeyboardEvent("keydown", { key: "Tab", cancelable: true });
    keepInside(event, root);
    expect(event.defaultPrevented).toBe(true);
    expect(document.activeElement?.id).toBe("a");
  });
});

import { render } from "lit";
import { describe, expect, it, vi } from "vitest";
import type { Message } from "../src/api/types.ts";
import { absolute } from "../src/lib/url.ts";
import { actsOf } from "../src/widget/acts.ts";
import { LANGUAGES, type Language } from "../src/widget/language.ts";
import { type Acts, type Scene, STILL } from "../src/widget/scene.ts";
import { NOTHING, type TalkState } from "../src/widget/talk.ts";
import { LONGEST } from "../src/widget/view/composer.ts";
import { frame } from "../src/widget/view/frame.ts";
import { spoken } from "../src/widget/view/messages.ts";
import { BASED_ON, WORDS } from "../src/widget/words/en.ts";
import { loadWords } from "../src/widget/words.ts";
import { bot, item, usd } from "./help.ts";

const API = "http://api.test";
const COUPON = {
  code: "7KQM2XPA",
  discount: usd(100),
  text: "$1.00 off",
  expires_at: "2026-12-07T22:00:00Z",
  qr_url: "/v1/coupons/7KQM2XPA/qr.svg",
};

/** The window with these messages. */
function draw(messages: readonly Message[], talk: Partial<TalkState> = {}, more: Partial<Scene> = {}): HTMLElement {
  const on = new Proxy({}, { get: () => vi.fn() }) as Acts;
  const place = document.createElement("div");
  const state: TalkState = { ...NOTHING, phase: "open", messages, ...talk };
  const still = { ...STILL, title: WORDS.title, files: true, speech: "none" as const, readAloud: undefined };
  render(
    frame({ ...still, api: API, language: "en", words: WORDS, basedOn: BASED_ON, talk: state, on, ...more }),
    place,
  );
  return place;
}
const hook = (place: HTMLElement, name: string): HTMLElement[] => [
  ...place.querySelectorAll<HTMLElement>(`[data-testid="${name}"]`),
];
const mine = (text: string, id = "u"): Message => ({ message_id: id, role: "user", text });

describe("a bot's message", () => {
  it("is one bubble with its cards, coupon and true old price", () => {
    const items = [item("p1", { regular_price: usd(399) }), item("p2", { regular_price: usd(199) })];
    const place = draw([bot("Here you go", { items, coupon: COUPON, decision_id: "d1" })]);
    expect(hook(place, "bot-message")).toHaveLength(1);
    expect(hook(place, "product-card")).toHaveLength(2);
    expect(hook(place, "coupon-code")[0]?.textContent).toBe("7KQM2XPA");
    expect(place.querySelectorAll("s")).toHaveLength(1);
    expect(hook(place, "product-card")[0]?.dataset.decision).toBe("d1");
    expect(place.querySelector("img")?.getAttribute("src")).toBe(`${API}/v1/products/p1/picture.svg`);
  });

  it("cannot smuggle elements in through a product's name, a reason, a table or its own text", () => {
    const evil = item("p1", { name: `"><script>x</script>`, reason: "<b>x</b>" });
    const table = { columns: ["<b>x</b>"], rows: [["<i>y</i>"]] };
    const place = draw([bot("a <script>\nb", { items: [evil], table })]);
    expect(place.querySelector("script, b, .table i")).toBeNull();
    expect(place.querySelector(".name")?.textContent).toContain("<script>");
  });

  it("shows three of many cards, but never hides a single one", () => {
    const shown = (count: number): number =>
      hook(draw([bot("x", { items: Array.from({ length: count }, (_, n) => item(`p${n}`)) })]), "product-card").length;
    expect([3, 4, 5, 8].map(shown)).toEqual([3, 4, 3, 3]);
  });

  it("offers quick replies only under the newest message, and not while one is on its way", () => {
    const quick = { quick_replies: [{ title: "Any coupons?", text: "any coupons for me" }] };
    const all = [bot("one", { ...quick, message_id: "a" }), mine("hi"), bot("two", { ...quick, message_id: "b" })];
    const chips = hook(draw(all), "quick-reply");
    expect(chips).toHaveLength(1);
    expect(chips[0]?.dataset.text).toBe("any coupons for me");
    const onItsWay = [{ id: "p", text: "x", at: "", state: "sending" as const }];
    expect(hook(draw(all, { outbox: onItsWay }), "quick-reply")).toHaveLength(0);
  });

  it("says of a coupon what it gives and for what first, and why below", () => {
    const why = "You buy this about every 12 days.";
    const given = { ...COUPON, text: `$1.00 off Oats. ${why}`, product_name: "Oats", reason: why };
    const [card] = hook(draw([bot("Here", { coupon: given })]), "coupon-card");
    expect(card?.querySelector(".deal")?.textContent).toBe("$1.00 off Oats");
    expect(card?.querySelector(".reason")?.textContent).toBe(why);
    expect(spoken({ words: WORDS }, bot("Here.", { coupon: given }))).toBe("Here. Your coupon: $1.00 off Oats.");
  });

  it("is read out in few words", () => {
    expect(spoken({ words: WORDS }, bot("These fit.", { items: [item("a"), item("b")], coupon: COUPON }))).toBe(
      "These fit. 2 products shown. Your coupon: $1.00 off.",
    );
  });

  it("shows a comparison, a basket and an order, and leaves out what it does not know", () => {
    const lines = [{ name: "Oats", quantity: 2, price: usd(598) }];
    const odd = { weather: { rain: 1 }, basket: "none" } as object;
    const place = draw([
      bot("a", { message_id: "a", table: { caption: "Two", columns: ["", "A"], rows: [["Price", null]] } }),
      bot("b", { message_id: "b", basket: { lines, total: usd(598) } }),
      bot("c", { message_id: "c", order: { order_id: "#W1", status: "On its way", lines } }),
      bot("d", { message_id: "d", ...odd }),
    ]);
    expect(hook(place, "table-card")[0]?.querySelectorAll("th[scope]")).toHaveLength(3);
    expect(hook(place, "basket-card")[0]?.textContent).toContain("$5.98");
    expect(hook(place, "order-card")[0]?.textContent).toContain("On its way");
    expect(hook(place, "bot-message").at(-1)?.textContent).not.toMatch(/rain|object|none/);
  });
});

describe("the shopper's own message", () => {
  const own = mine("hello");
  const mark = (place: HTMLElement): string | undefined => hook(place, "message-mark")[0]?.dataset.state;

  it("says whether it is on its way, delivered or read", () => {
    const waiting = [{ id: "p", text: "x", at: "", state: "waiting" as const }];
    expect(mark(draw([own]))).toBe("delivered");
    expect(mark(draw([own], { readId: "u" }))).toBe("read");
    expect(mark(draw([], { outbox: waiting }))).toBe("sending");
    expect(mark(draw([], { outbox: waiting, link: "offline" }))).toBe("waiting");
  });

  it("that did not get through says what was kept and what to do", () => {
    const place = draw([own], { link: "unreachable" });
    expect(hook(place, "chat-error")[0]?.textContent).toContain("kept");
    expect(hook(place, "chat-retry")).toHaveLength(1);
  });

  it("is shown once when it is both stored and still in the queue", () => {
    const outbox = [{ id: "p", text: "hello", at: "", state: "sending" as const }];
    expect(hook(draw([{ ...own, client_message_id: "p" } as Message], { outbox }), "own-message")).toHaveLength(1);
  });
});

describe("people", () => {
  it("are announced with place, wait and name", () => {
    const queued = draw([], { hand: { state: "queued", position: 2, wait_s: 180 } });
    expect(hook(queued, "queue-state")[0]?.textContent).toMatch(/number 2 .*about 3 min/s);
    const human = draw([bot("Hi", { role: "agent", agent: "Dana" })], { hand: { state: "human", agent: "Dana" } });
    expect(human.querySelector("h2")?.textContent).toBe("Dana");
    expect(human.querySelector(".author")?.textContent).toContain("Dana");
  });

  it("can be left a message when they are not there, and are rated afterwards", () => {
    expect(hook(draw([], { hand: { state: "closed" } }), "leave-form")).toHaveLength(1);
    const after = draw([], { hand: { state: "returned", rate: true } });
    expect(after.querySelectorAll('[type="radio"]')).toHaveLength(5);
    expect(
      hook(draw([], { hand: { state: "returned", rate: true } }, { rating: "skipped" }), "rating-form"),
    ).toHaveLength(0);
  });
});

describe("a message for who is not there", () => {
  const closed = { hand: { state: "closed" } } as const;
  const TAKEN = bot("It is noted.", { act: "handoff.message.taken" });
  const said = (place: HTMLElement): number[] => ["leave-form", "leave-sent"].map((name) => hook(place, name).length);

  /** The window's acts over a talk that notes what is said. */
  function acts(): { on: Acts; says: unknown[]; sets: unknown[] } {
    const says: unknown[] = [];
    const sets: unknown[] = [];
    const talk = { say: (one: unknown) => says.push(one) };
    const window = { talk, words: WORDS, set: (part: unknown) => sets.push(part), focusOn: vi.fn(), announce: vi.fn() };
    return { on: actsOf(window as unknown as Parameters<typeof actsOf>[0]), says, sets };
  }

  it("goes as one command, which the shop need not understand, and is shown in the shopper's words", () => {
    const { on, says } = acts();
    on.leave("I don't need a callback. My oats were stale.", "maya@shop.example");
    const title = `I don't need a callback. My oats were stale.\n\n${WORDS.leaveContact}: maya@shop.example`;
    expect(says).toEqual([{ text: `/leave_message ${title}`, title }]);
  });

  it("fits into what the shop takes, however long it is, in every language", async () => {
    const place = draw([], closed);
    const most = (name: string): number => Number(place.querySelector(`[name="${name}"]`)?.getAttribute("maxlength"));
    const all = await Promise.all((Object.keys(LANGUAGES) as Language[]).map(loadWords));
    const label = Math.max(...all.map(({ words }) => words.leaveContact.length));
    expect(most("text") + most("contact") + label + "\n\n: ".length).toBeLessThanOrEqual(LONGEST);
  });

  it("is called sent only when the shop says that it has it", () => {
    const text = "/leave_message My oats were stale.";
    const outbox = [{ id: "p", text, title: "My oats were stale.", at: "", state: "waiting" as const }];
    expect(said(draw([], closed))).toEqual([1, 0]);
    expect(said(draw([], { ...closed, outbox }))).toEqual([0, 0]);
    expect(said(draw([mine("My oats were stale."), bot("Sorry?")], closed))).toEqual([1, 0]);
    expect(said(draw([mine("My oats were stale."), TAKEN], closed))).toEqual([0, 1]);
    expect(said(draw([TAKEN, mine("any bread?"), bot("Here is bread.")], closed))).toEqual([0, 1]);
    const again = [TAKEN, mine("a person"), bot("Nobody is here.", { act: "handoff.away" })];
    expect(said(draw(again, closed))).toEqual([1, 0]);
  });
});

describe("addresses", () => {
  it("are of the api or the web, or nothing", () => {
    expect(absolute("/a.svg", API)).toBe(`${API}/a.svg`);
    expect(absolute("javascript:alert(1)", API)).toBe("");
  });
});

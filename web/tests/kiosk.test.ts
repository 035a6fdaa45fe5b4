import { render } from "lit";
import { describe, expect, it, vi } from "vitest";
import { ApiError } from "../src/api/http.ts";
import type { DisplayState } from "../src/api/types.ts";
import { deviceOf, isCodeProblem, keyKept } from "../src/kiosk/api.ts";
import { withoutServer } from "../src/kiosk/app.ts";
import { type Enrolment, type Happening, next } from "../src/kiosk/enrolment.ts";
import { isFresh, picturesOf, publicPart } from "../src/kiosk/offline/playlist.ts";
import { showing } from "../src/kiosk/offline/plays.ts";
import { couponWords } from "../src/kiosk/parts.ts";
import { privacyText } from "../src/kiosk/privacy.ts";
import { attract as attractScreen } from "../src/kiosk/screens.ts";
import { countWords, reasonsThatFit, shortName } from "../src/kiosk/words.ts";
import { backOff, cutEvents } from "../src/lib/sse.ts";
import { item, usd } from "./help.ts";

const run = (...happenings: Happening[]): Enrolment | undefined =>
  happenings.reduce<Enrolment | undefined>((state, one) => next(state, one), undefined);
const digits = (code: string): Happening[] => [...code].map((digit) => ({ what: "digit", digit }));
const toCode: Happening[] = [{ what: "start" }, { what: "yes" }];
const toSending: Happening[] = [
  ...toCode,
  ...digits("482913"),
  { what: "next" },
  { what: "expression", granted: false },
  { what: "shot", count: 3 },
];

describe("enrolment", () => {
  it("takes no picture before two answers and a whole code", () => {
    expect(run({ what: "start" })?.step).toBe("consent");
    expect(run(...toCode, ...digits("12345"), { what: "next" })?.step).toBe("code");
    expect(run(...toCode, ...digits("123456"), { what: "next" })?.step).toBe("expression");
  });

  it("ends at once, with nothing left, on no", () => {
    expect(run({ what: "start" }, { what: "no" })).toBeUndefined();
    expect(run(...toCode, ...digits("12"), { what: "leave" })).toBeUndefined();
  });

  it("keeps expression apart: a no there still enrols", () => {
    const state = run(...toSending, { what: "sent", name: "Maya" });
    expect(state).toMatchObject({ step: "done", expression: false, name: "Maya", code: "" });
  });

  it("asks nobody about expressions where the shop does not read them", () => {
    const start: Happening = { what: "start", asksExpression: false };
    const state = run(start, { what: "yes" }, ...digits("482913"), { what: "next" });
    expect(state).toMatchObject({ step: "capture", expression: false });
  });

  it("goes back to the keypad for a wrong code, and to the camera for a bad picture", () => {
    expect(run(...toSending, { what: "failed", text: "Unknown code.", code: true })).toMatchObject({
      step: "code",
      code: "",
    });
    const failed = run(...toSending, { what: "failed", text: "No face.", code: false });
    expect(failed?.step).toBe("failed");
    expect(next(failed, { what: "again" })).toMatchObject({ step: "capture", code: "482913", shots: 0 });
  });

  it("says what to change until a picture is good, and forgets the advice then", () => {
    const before = run(...toSending.slice(0, -1), { what: "advice", text: "Please step closer." });
    expect(before).toMatchObject({ step: "capture", shots: 0, text: "Please step closer." });
    expect(next(before, { what: "shot", count: 1 })).toMatchObject({ step: "capture", shots: 1, text: "" });
  });

  it("takes digits only, six of them, and can take one back", () => {
    expect(run(...toCode, ...digits("12x4567890"))?.code).toBe("124567");
    expect(run(...toCode, ...digits("12"), { what: "erase" })?.code).toBe("1");
  });

  it("blames the code only when the code was refused", () => {
    const refusal = (status: number): ApiError => new ApiError(status, { title: "x", status });
    expect([404, 410, 422, 503].map((status) => isCodeProblem(refusal(status)))).toEqual([true, true, false, false]);
  });
});

const state = (mode: DisplayState["mode"], more: Partial<DisplayState> = {}): DisplayState => ({
  kiosk_id: "k",
  revision: 1,
  mode,
  privacy: { recognised: mode === "welcome", text: "" },
  headline: mode === "welcome" ? "Welcome back, Maya" : "Good to see you",
  items: [item("p1")],
  retailer: "Fresh & Co",
  ...more,
});

describe("without a server", () => {
  const attract = state("attract", { slides: [{ headline: "", item: item("p1", { reason: "You buy this." }) }] });

  it("plays the kept posters, and a plain one when there are none", () => {
    expect(withoutServer(attract, "Fresh & Co")).toBe(attract);
    expect(withoutServer(undefined, "Fresh & Co")).toMatchObject({
      mode: "offline",
      retailer: "Fresh & Co",
      items: [],
    });
  });

  it("keeps nothing of a display that is somebody's, and of others only what is for everybody", () => {
    for (const mode of ["welcome", "inspire", "calm", "help"] as const) expect(publicPart(state(mode))).toBeUndefined();
    const told = { recognised: true, text: "" };
    expect(publicPart(state("attract", { privacy: told }))).toBeUndefined();
    const kept = publicPart({ ...attract, ticket: "T", words: { name: "Maya" } } as DisplayState);
    expect(JSON.stringify(kept)).not.toMatch(/Maya|You buy|"T"/);
    expect(picturesOf(kept as DisplayState)).toEqual(["/v1/products/p1/picture.svg"]);
  });

  it("plays a copy for a day, and not when the clock cannot be trusted", () => {
    const copy = { state: attract, at: 1e12 };
    const hour = 3_600_000;
    expect([0, 23.9, 24, -1].map((hours) => isFresh(copy, copy.at + hours * hour))).toEqual([true, true, false, false]);
  });

  it("proves what stood there: one play a turn in the loop, one for a screen of somebody's own", () => {
    const poster = { url: "/v1/creatives/c1", creative_id: "c1", alt: "", width: 9, height: 16 };
    const slide = { headline: "", poster, item: item("p2") };
    const first = showing({ ...attract, decision_id: "d" }, slide, 1, 3, false);
    expect(first).toMatchObject({
      mode: "attract",
      decision_id: "d",
      creative_id: "c1",
      product_ids: ["p2"],
      online: false,
    });
    expect(showing({ ...attract, decision_id: "d" }, slide, 2, 3, false)?.key).not.toBe(first?.key);
    const own = state("welcome", { decision_id: "e", items: ["a", "b", "c", "d"].map((id) => item(id)) });
    expect(showing(own, undefined, 1, 3, true)).toMatchObject({ product_ids: ["a", "b", "c"], online: true });
    expect(showing(own, undefined, 1, 3, true)?.key).toBe(showing(own, undefined, 2, 3, true)?.key);
    expect(showing(state("offline"), undefined, 1, 3, false)).toBeUndefined();
  });
});

describe("films in a poster's place", () => {
  const film = { film_id: "f1", url: "/v1/films/f1.mp4", still: "/v1/films/f1.jpg", seconds: 10 };
  const poster = { url: "/v1/creatives/c1.webp", creative_id: "c1", alt: "Honey", width: 9, height: 16, film };
  const slides = [{ headline: "", poster, item: item("p2") }];
  const drawn = (): HTMLElement => {
    const root = document.createElement("div");
    render(attractScreen(state("attract", { slides }), 0), root);
    return root;
  };

  it("plays muted, and proof of play names the film beside the creative", () => {
    const video = drawn().querySelector<HTMLVideoElement>("video");
    expect(video?.getAttribute("src")).toContain("/v1/films/f1.mp4");
    expect([video?.muted, video?.getAttribute("aria-label")]).toEqual([true, "Honey"]);
    expect(showing(state("attract", { slides }), slides[0], 1, 3, true)).toMatchObject({
      creative_id: "c1",
      film_id: "f1",
    });
  });

  it("shows the film's still where motion is not wanted, and the play names no film", () => {
    vi.stubGlobal("matchMedia", () => ({ matches: true }));
    const root = drawn();
    expect(root.querySelector("video")).toBeNull();
    expect(root.querySelector("img")?.getAttribute("src")).toContain("/v1/films/f1.jpg");
    expect(showing(state("attract", { slides }), slides[0], 1, 3, true)?.film_id).toBeUndefined();
  });

  it("is not kept for times without a server, and gives way to the poster where it cannot be played", () => {
    expect(JSON.stringify(publicPart(state("attract", { slides })))).not.toContain("f1");
    const root = drawn();
    root.querySelector("video")?.dispatchEvent(new Event("error"));
    expect(drawn().querySelector("img")?.getAttribute("src")).toContain("/v1/creatives/c1.webp");
  });
});

describe("the display stream", () => {
  it("reads whole events, over any cut, and skips heartbeats", () => {
    const first = cutEvents(': ping\n\nevent: display\r\ndata: {"a":');
    expect(first.events).toEqual([]);
    const second = cutEvents(`${first.rest}1}\n\nevent: other\ndata: 2\n\n`);
    expect(second.events).toEqual([
      { name: "display", data: '{"a":1}' },
      { name: "other", data: "2" },
    ]);
    expect(second.rest).toBe("");
  });

  it("waits longer each time, up to a bound", () => {
    const waits = [0, 1, 2, 3, 4, 5, 50].map((count) => backOff(count, 0));
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(backOff(50, 1)).toBeLessThanOrEqual(20_000);
  });
});

describe("words on the kiosk", () => {
  it("stay under forty: reasons give way", () => {
    expect(reasonsThatFit(["one two three", "four five", "six"], 36)).toEqual(["one two three", undefined, "six"]);
    expect(countWords("Welcome back, Maya", undefined, " ")).toBe(3);
  });

  it("leave package sizes to the shelf", () => {
    expect(shortName("Tortilla chips, 11.5 oz")).toBe("Tortilla chips");
    expect(shortName("Ground coffee, dark roast, 12 oz")).toBe("Ground coffee, dark roast");
    expect(shortName("Milk, whole")).toBe("Milk, whole");
  });

  it("say what a coupon gives and for what, and a long text of an older one as its amount", () => {
    const card = { code: "A", discount: usd(150), text: "x", expires_at: "", qr_url: "" };
    const told = "You buy yogurt about every nine days, so here";
    expect(couponWords({ ...card, text: told, product_name: "Plain yogurt, 32 oz" })).toEqual([
      "$1.50 off",
      "Plain yogurt",
    ]);
    expect(couponWords({ ...card, text: told })).toEqual(["$1.50 off"]);
    expect(couponWords({ ...card, text: "$1.50 off yogurt" })).toEqual(["$1.50 off yogurt"]);
  });

  it("tell the truth about the camera before the server knows", () => {
    expect(privacyText({ recognised: false, text: "" }, true)).toContain("Camera on");
    expect(privacyText({ recognised: false, text: "" }, false)).toBe("Camera off");
    expect(privacyText({ recognised: true, text: "" }, false)).toContain("you are recognised");
  });
});

describe("the page's address", () => {
  it("names the kiosk and its key, or nothing", () => {
    expect(deviceOf(new URL("http://x/kiosk/main%20door?lang=de#key=dk_1"))).toEqual({
      kiosk: "main door",
      key: "dk_1",
    });
    expect(deviceOf(new URL("http://x/kiosk/entrance"))).toBeUndefined();
  });

  it("keeps a key out of what is sent to servers, also one from an older address", () => {
    const kept = keyKept(new URL("http://x/kiosk/door?key=dk_1&camera=on"));
    expect(kept.href).toBe("http://x/kiosk/door?camera=on#key=dk_1");
    expect(keyKept(kept).href).toBe(kept.href);
    expect(deviceOf(kept)).toEqual({ kiosk: "door", key: "dk_1" });
  });
});

import { beforeEach, describe, expect, it } from "vitest";
import { OutcomeLog } from "../src/api/outcomes.ts";
import { Session } from "../src/api/session.ts";
import { Talk } from "../src/widget/conversation.ts";
import { bot, type Call, fakeApi, memory } from "./help.ts";

type Answer = { status?: number; body?: unknown } | Error;
const GREETING = { ...bot("Hello, I am an AI assistant."), message_id: "g" };
let history: unknown[] = [];
let session: Session;

/** An api with one conversation; `send` decides what happens to a message. */
function api(send: (call: Call) => Answer): Call[] {
  return fakeApi((call) => {
    if (call.url.includes("/token")) return { body: { token: "t", visitor_id: "v" } };
    if (call.url.endsWith("/messages")) return send(call);
    if (call.method === "POST") return { status: 201, body: { conversation_id: "c1", messages: [GREETING] } };
    return { body: { conversation_id: "c1", messages: history } };
  });
}

beforeEach(() => {
  history = [GREETING];
  session = new Session(
    { api: "http://api.test", tokenUrl: "http://shop.test/token" },
    { local: memory(), tab: memory() },
  );
});

describe("a message", () => {
  it("is answered, and leaves no draft behind", async () => {
    api(() => ({ body: { messages: [bot("Hi")], engine: "rasa", handoff: false } }));
    const talk = new Talk(session);
    await talk.open();
    expect(await talk.send({ text: "hello" })).toMatchObject({ ok: true, messages: [{ text: "Hi" }] });
    expect(session.kept.draft).toBeUndefined();
  });

  it("that did not arrive is kept over a reload, and said so", async () => {
    api(() => new TypeError("offline"));
    const talk = new Talk(session);
    await talk.open();
    const sent = await talk.send({ text: "do you have oat milk?" });
    expect(sent).toMatchObject({ ok: false, why: expect.stringContaining("kept") });
    expect(session.kept.draft).toBe("do you have oat milk?");
  });

  it("is not sent twice when the server got it and only the answer was lost", async () => {
    const calls = api(() => new TypeError("lost"));
    const talk = new Talk(session);
    await talk.open();
    await talk.send({ text: "hello" });
    history = [GREETING, { role: "user", text: "hello", message_id: "u" }, bot("Hi there")];
    expect(await talk.retry()).toMatchObject({ ok: true, messages: [{ text: "Hi there" }] });
    expect(calls.filter((call) => call.url.endsWith("/messages"))).toHaveLength(1);
  });

  it("is sent again when the server never got it, with the title that the shopper saw", async () => {
    let down = true;
    const calls = api(() =>
      down ? new TypeError("offline") : { body: { messages: [bot("Here")], engine: "rasa", handoff: false } },
    );
    const talk = new Talk(session);
    await talk.open();
    await talk.send({ text: "/coupon", title: "Any coupons?" });
    down = false;
    expect(await talk.retry()).toMatchObject({ ok: true, messages: [{ text: "Here" }] });
    expect(calls.at(-1)?.body).toEqual({ text: "/coupon", title: "Any coupons?" });
  });

  it("that comes too fast is told apart from one that is lost", async () => {
    api(() => ({ status: 429, body: { title: "Too many", status: 429 } }));
    const talk = new Talk(session);
    await talk.open();
    expect(await talk.send({ text: "again" })).toMatchObject({
      ok: false,
      why: expect.stringContaining("in a moment"),
    });
  });
});

describe("outcomes", () => {
  it("name their decision, and a card is seen once", async () => {
    const calls = api(() => ({ body: {} }));
    const log = new OutcomeLog(session);
    for (let time = 0; time < 3; time++) log.add({ type: "viewed", decisionId: "d1", productId: "p1" });
    log.add({ type: "added_to_basket", decisionId: "d1", productId: "p1" });
    await log.flush();
    const { events } = (calls.at(-1) as Call).body as { events: Record<string, string>[] };
    expect(events.map((event) => [event.type, event.decision_id])).toEqual([
      ["viewed", "d1"],
      ["added_to_basket", "d1"],
    ]);
    expect(events[0]?.event_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]/);
  });

  it("wait, with the same ids, until the network is back", async () => {
    let down = true;
    const sent: string[][] = [];
    fakeApi(({ url, body }) => {
      if (url.includes("/token")) return { body: { token: "t", visitor_id: "v" } };
      if (down) return new TypeError("offline");
      sent.push((body as { events: { event_id: string }[] }).events.map((event) => event.event_id));
      return { body: {} };
    });
    const log = new OutcomeLog(session);
    log.add({ type: "clicked", decisionId: "d1", productId: "p1" });
    expect(await log.flush()).toBe(false);
    down = false;
    expect(await log.flush()).toBe(true);
    expect(sent).toHaveLength(1);
    expect(await log.flush()).toBe(true);
    expect(sent).toHaveLength(1);
  });
});

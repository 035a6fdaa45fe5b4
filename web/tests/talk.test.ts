import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Session } from "../src/api/session.ts";
import type { BotMessage } from "../src/api/types.ts";
import { typingIn } from "../src/widget/history.ts";
import { Talk } from "../src/widget/talk.ts";
import { type Answer, bot, type Call, fakeApi, memory, session } from "./help.ts";

const GREETING = { ...bot("Hello, I am an AI assistant."), message_id: "g" };
let history: unknown[] = [];
let store = memory();
const open: Talk[] = [];

/** An api with one conversation; `send` decides what happens to a message. */
function api(send: (call: Call) => Answer | Promise<Answer>): Call[] {
  return fakeApi((call) => {
    if (call.url.includes("/token")) return { body: { token: "t", visitor_id: "v" } };
    if (call.url.endsWith("/messages")) return send(call);
    if (call.method === "DELETE") return { status: 204 };
    if (call.url.endsWith("/stream")) return { status: 404, body: {} };
    if (call.method === "POST") return { status: 201, body: { conversation_id: "c1", messages: [GREETING] } };
    return { body: { conversation_id: "c1", messages: history } };
  });
}

/** A talk, opened, with what it told screen readers. */
async function talking(one: Session = session(store)): Promise<{ talk: Talk; heard: BotMessage[] }> {
  const heard: BotMessage[] = [];
  const talk = new Talk(one, { changed: () => undefined, said: (messages) => heard.push(...messages) });
  open.push(talk);
  await talk.open();
  return { talk, heard };
}

const answered = (text: string, id = `re-${text}`): Answer => ({
  body: { messages: [{ ...bot(text), message_id: id }], engine: "rasa", handoff: false },
});
const sentTexts = (calls: Call[]): string[] =>
  calls.filter((call) => call.url.endsWith("/messages")).map((call) => (call.body as { text: string }).text);
const texts = (talk: Talk): string[] => talk.state.messages.map((one) => one.text);
const settled = (talk: Talk): Promise<unknown> => vi.waitFor(() => expect(talk.state.outbox).toHaveLength(0));

beforeEach(() => {
  history = [GREETING];
  store = memory();
});
afterEach(() => {
  for (const one of open.splice(0)) one.close();
  vi.useRealTimers();
});

describe("a message", () => {
  it("is shown and awaited at once, then answered", async () => {
    let answer: (value: Answer) => void = () => undefined;
    api(() => new Promise((resolve) => (answer = resolve)));
    const { talk, heard } = await talking();
    talk.say({ text: "hello" });
    expect(talk.state.outbox.map((one) => one.text)).toEqual(["hello"]);
    await vi.waitFor(() => expect(typingIn(talk.state)).toBe("bot"));
    answer(answered("Hi"));
    await settled(talk);
    expect(texts(talk)).toEqual([GREETING.text, "hello", "Hi"]);
    expect(heard.map((one) => one.text)).toEqual(["Hi"]);
    expect(typingIn(talk.state)).toBe("");
  });

  it("waits while the shop cannot be reached, and goes in order when it can, each once", async () => {
    let down = true;
    const calls = api(({ body }) =>
      down ? new TypeError("offline") : answered(`re ${(body as { text: string }).text}`),
    );
    const { talk } = await talking();
    for (const text of ["one", "two", "three"]) talk.say({ text });
    await vi.waitFor(() => expect(talk.state.link).toBe("unreachable"));
    expect(sentTexts(calls)).toEqual(["one"]);
    down = false;
    talk.wake();
    await settled(talk);
    expect(sentTexts(calls)).toEqual(["one", "one", "two", "three"]);
    const ids = calls
      .filter((call) => call.url.endsWith("/messages"))
      .map((call) => (call.body as { client_message_id: string }).client_message_id);
    expect(ids[0]).toBe(ids[1]);
    expect(new Set(ids).size).toBe(3);
    expect(texts(talk).slice(1)).toEqual(["one", "re one", "two", "re two", "three", "re three"]);
    expect(talk.state.link).toBe("ok");
  });

  it("survives a reload while it waits", async () => {
    let down = true;
    const calls = api(() => (down ? new TypeError("offline") : answered("Here")));
    const { talk } = await talking();
    talk.say({ text: "/coupon", title: "Any coupons?" });
    await vi.waitFor(() => expect(talk.state.link).toBe("unreachable"));
    const [first] = talk.state.outbox;
    talk.close();
    down = false;
    const { talk: again } = await talking(session(store));
    await settled(again);
    expect(calls.at(-1)?.body).toEqual({ text: "/coupon", title: "Any coupons?", client_message_id: first?.id });
    expect(texts(again)).toContain("Any coupons?");
  });

  it("that the shop refuses says why, and does not hold up the next", async () => {
    const calls = api(({ body }) =>
      (body as { text: string }).text === "bad"
        ? { status: 422, body: { title: "Too odd", status: 422 } }
        : answered("Fine"),
    );
    const { talk } = await talking();
    talk.say({ text: "bad" });
    talk.say({ text: "good" });
    await vi.waitFor(() => expect(texts(talk)).toContain("Fine"));
    expect(talk.state.outbox).toMatchObject([{ text: "bad", state: "refused", why: "Too odd" }]);
    talk.discard(talk.state.outbox[0]?.id ?? "");
    expect(talk.state.outbox).toEqual([]);
    expect(sentTexts(calls)).toEqual(["bad", "good"]);
  });

  it("takes along what the shopper did before it, once, and only where they take part", async () => {
    const calls = api(({ body }) => answered(`re ${(body as { text: string }).text}`));
    const { talk } = await talking();
    talk.notice("rage_click");
    for (const text of ["one", "two", "three"]) {
      talk.say({ text });
      await settled(talk);
      if (text === "one") talk.notice("reopened_chat");
    }
    const signals = calls.filter((call) => call.url.endsWith("/messages")).map((call) => Object(call.body).signals);
    expect(signals).toEqual([undefined, ["reopened_chat"], undefined]);
  });

  it("whose answer comes in parts grows in one bubble, and is heard once", async () => {
    let answer: (value: Answer) => void = () => undefined;
    let line: ReadableStreamDefaultController<Uint8Array> | undefined;
    api(() => new Promise((resolve) => (answer = resolve)));
    const plain = fetch;
    vi.stubGlobal("fetch", async (url: string, init: RequestInit = {}) => {
      if (!url.includes("/stream")) return plain(url, init);
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => {
          line = controller;
        },
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    });
    const tell = (name: string, data: unknown): void =>
      line?.enqueue(new TextEncoder().encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`));
    const { talk, heard } = await talking();
    talk.follow(true);
    talk.say({ text: "which oats?" });
    await vi.waitFor(() => expect(line).toBeDefined());
    for (const text of ["Rolled", "Rolled oats cook"]) tell("part", { role: "bot", text });
    await vi.waitFor(() => expect(texts(talk).at(-1)).toBe("Rolled oats cook"));
    expect(talk.state.messages.filter((one) => one.role === "bot")).toHaveLength(2);
    expect(heard).toEqual([]);
    const whole = { ...bot("Rolled oats cook in five minutes."), message_id: "b9" };
    tell("message", whole);
    await vi.waitFor(() => expect(texts(talk).at(-1)).toBe(whole.text));
    answer({ body: { messages: [whole], engine: "rasa", handoff: false } });
    await settled(talk);
    expect(texts(talk)).toEqual([GREETING.text, "which oats?", whole.text]);
    expect(heard.map((one) => one.text)).toEqual([whole.text]);
  });

  it("that comes too fast is told apart from one that is lost", async () => {
    api(() => ({ status: 429, body: { title: "Too many", status: 429 } }));
    const { talk } = await talking();
    talk.say({ text: "again" });
    await vi.waitFor(() => expect(talk.state.link).toBe("busy"));
  });

  it("whose conversation is gone goes into a new one", async () => {
    let gone = true;
    const calls = api(() => {
      if (!gone) return answered("Welcome back");
      gone = false;
      return { status: 404, body: { title: "Gone", status: 404 } };
    });
    const { talk } = await talking();
    talk.say({ text: "hello?" });
    await vi.waitFor(() => expect(texts(talk)).toContain("Welcome back"));
    expect(sentTexts(calls)).toEqual(["hello?", "hello?"]);
  });
});

describe("a history that is read again", () => {
  const asked = { message_id: "q", role: "user", text: "hello" };
  const answer = { ...bot("Hi"), message_id: "re-Hi" };
  const reads = (calls: Call[]): number =>
    calls.filter(({ method, url }) => method === "GET" && url.endsWith("/c1")).length;

  it("takes back nothing that was said while it was on its way, and tells nothing twice", async () => {
    let reached: (value: Answer) => void = () => undefined;
    let slow = false;
    const calls = fakeApi((call) => {
      if (call.url.includes("/token")) return { body: { token: "t", visitor_id: "v" } };
      if (call.url.endsWith("/messages")) return answered("Hi");
      if (call.method === "POST") return { status: 201, body: { conversation_id: "c1", messages: [GREETING] } };
      if (!slow) return { body: { conversation_id: "c1", messages: history } };
      slow = false;
      return new Promise((resolve) => (reached = resolve));
    });
    const { talk, heard } = await talking();
    slow = true;
    const syncing = talk.sync();
    await vi.waitFor(() => expect(reads(calls)).toBe(1));
    talk.say({ text: "hello" });
    await settled(talk);
    history = [GREETING, asked, answer];
    reached({ body: { conversation_id: "c1", messages: [GREETING] } });
    await syncing;
    expect(texts(talk)).toEqual([GREETING.text, "hello", "Hi"]);
    await talk.sync();
    expect(heard.map((one) => one.text)).toEqual(["Hi"]);
  });

  it("is read once messages that were on their way have arrived", async () => {
    let reply: (value: Answer) => void = () => undefined;
    const calls = api(() => new Promise((resolve) => (reply = resolve)));
    const { talk } = await talking();
    talk.say({ text: "hello" });
    await vi.waitFor(() => expect(sentTexts(calls)).toHaveLength(1));
    await talk.sync();
    history = [GREETING, asked, answer, { ...bot("A person was here"), message_id: "missed" }];
    reply(answered("Hi"));
    await vi.waitFor(() => expect(texts(talk)).toContain("A person was here"));
  });
});

describe("tabs of one page", () => {
  it("show each other's messages, and send each once", async () => {
    const calls = api(() => answered("Hi"));
    const [one, two] = [await talking(), await talking()];
    one.talk.say({ text: "hello" });
    await vi.waitFor(() => expect(texts(two.talk)).toEqual([GREETING.text, "hello", "Hi"]));
    expect(sentTexts(calls)).toHaveLength(1);
    expect(two.heard).toEqual([]);
  });
});

describe("forgetting", () => {
  it("deletes at the shop first, then here, in every tab", async () => {
    const calls = api(() => answered("Hi"));
    const [one, two] = [await talking(), await talking()];
    one.talk.say({ text: "my secret" });
    await settled(one.talk);
    expect(await one.talk.forget()).toBe(true);
    expect(calls.some((call) => call.method === "DELETE" && call.url.endsWith("/v1/conversations/c1"))).toBe(true);
    await vi.waitFor(() => expect(two.talk.state.phase).toBe("forgotten"));
    expect(one.talk.state).toMatchObject({ phase: "forgotten", messages: [], outbox: [] });
    expect(session(store).kept).toEqual({});
  });

  it("that does not reach the shop keeps everything and says so", async () => {
    fakeApi((call) => {
      if (call.url.includes("/token")) return { body: { token: "t", visitor_id: "v" } };
      return call.method === "DELETE"
        ? new TypeError("offline")
        : { body: { conversation_id: "c1", messages: history } };
    });
    const { talk } = await talking();
    expect(await talk.forget()).toBe(false);
    expect(talk.state.messages).toHaveLength(1);
    expect(session(store).kept.conversation_id).toBe("c1");
  });
});

describe("what a browser keeps", () => {
  it("is gone after a day, and with consent after thirty", () => {
    vi.useFakeTimers();
    for (const [consent, days] of [
      [false, 1],
      [true, 30],
    ] as const) {
      const one = session(store, consent);
      one.keep({ conversation_id: "c1" });
      vi.advanceTimersByTime(days * 86_400_000 - 1000);
      expect(one.kept.conversation_id).toBe("c1");
      vi.advanceTimersByTime(2000);
      expect(one.kept).toEqual({});
    }
  });
});

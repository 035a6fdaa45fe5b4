/** Shared by the tests: an api that answers from a list, and made-up messages. */
import { vi } from "vitest";
import { Session } from "../src/api/session.ts";
import type { BotMessage, ItemCard, Money } from "../src/api/types.ts";

export type Answer = { status?: number; body?: unknown } | Error;

/** One request that the code under test made. */
export interface Call {
  readonly url: string;
  readonly method: string;
  readonly token: string | null;
  readonly body: unknown;
}

/** Replace fetch by `answer`; returns the calls as they come. */
export function fakeApi(answer: (call: Call) => Answer | Promise<Answer>): Call[] {
  const calls: Call[] = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit = {}) => {
    const body = typeof init.body === "string" ? JSON.parse(init.body) : init.body;
    const call = { url, method: init.method ?? "GET", token: new Headers(init.headers).get("authorization"), body };
    calls.push(call);
    const got = await answer(call);
    if (got instanceof Error) throw got;
    return new Response(got.body === undefined ? "" : JSON.stringify(got.body), { status: got.status ?? 200 });
  });
  return calls;
}

/** A store like localStorage. */
export function memory(): Storage {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  } as unknown as Storage;
}

export const usd = (minor_units: number): Money => ({
  minor_units,
  currency: "USD",
  text: `$${(minor_units / 100).toFixed(2)}`,
});

export const item = (id: string, more: Partial<ItemCard> = {}): ItemCard => ({
  product_id: id,
  name: `Item ${id}`,
  price: usd(299),
  picture_url: `/v1/products/${id}/picture.svg`,
  reason: "You buy this about every 12 days.",
  reason_code: "due_again",
  ...more,
});

export const bot = (text: string, more: Partial<BotMessage> = {}): BotMessage => ({
  message_id: "m1",
  role: "bot",
  text,
  ...more,
});

/** A session of one shop, with stores of its own. */
export function session(store = memory(), consent = false): Session {
  return new Session({ api: "http://api.test", tokenUrl: "http://shop.test/token", consent }, () => store);
}

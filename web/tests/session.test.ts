import { beforeEach, describe, expect, it } from "vitest";
import { ApiError, NetworkError } from "../src/api/http.ts";
import { Session } from "../src/api/session.ts";
import { openConversation } from "../src/api/shopper.ts";
import { fakeApi, memory } from "./help.ts";

const API = "http://api.test";
const stores = { local: memory(), tab: memory() };
const later = (): string => new Date(Date.now() + 900_000).toISOString();
const session = (): Session => new Session({ api: API, tokenUrl: "http://shop.test/token" }, stores);

beforeEach(() => {
  stores.local = memory();
  stores.tab = memory();
});

describe("a session", () => {
  it("asks the shop for a token once, however many calls wait for it", async () => {
    const calls = fakeApi(({ url }) =>
      url.includes("/token")
        ? { body: { token: "t1", visitor_id: "v1", expires_at: later() } }
        : { body: { ok: true } },
    );
    const one = session();
    await Promise.all([one.call("/v1/a"), one.call("/v1/b")]);
    expect(calls.filter((call) => call.url.includes("shop.test"))).toHaveLength(1);
    expect(calls.at(-1)?.token).toBe("Bearer t1");
  });

  it("renews a refused token and repeats the call", async () => {
    const calls = fakeApi(({ url, token }) => {
      if (url.includes("shop.test")) return { body: { token: "old", visitor_id: "v1", expires_at: later() } };
      if (url.endsWith("/renew")) return { body: { token: "new", visitor_id: "v1", expires_at: later() } };
      return token === "Bearer new"
        ? { body: { ok: 1 } }
        : { status: 401, body: { title: "Unauthorized", status: 401 } };
    });
    await expect(session().call("/v1/x")).resolves.toEqual({ ok: 1 });
    expect(calls.map((call) => new URL(call.url).pathname)).toEqual([
      "/token",
      "/v1/x",
      "/v1/widget-tokens/renew",
      "/v1/x",
    ]);
  });

  it("asks the shop again, as the same visitor, when the token is too old to be renewed", async () => {
    let asked = 0;
    const calls = fakeApi(({ url, token }) => {
      if (url.includes("shop.test")) return { body: { token: `t${++asked}`, visitor_id: "v1", expires_at: later() } };
      return token === "Bearer t2" ? { body: {} } : { status: 401, body: { title: "Unauthorized", status: 401 } };
    });
    await session().call("/v1/x");
    expect(calls.filter((call) => call.url.includes("shop.test"))[1]?.url).toContain("visitor=v1");
  });

  it("renews before a token ends", async () => {
    const soon = new Date(Date.now() + 5000).toISOString();
    const calls = fakeApi(({ url }) =>
      url.includes("shop.test")
        ? { body: { token: "short", visitor_id: "v1", expires_at: soon } }
        : { body: { token: "long", visitor_id: "v1", expires_at: later() } },
    );
    const one = session();
    await one.token();
    expect((await one.token()).token).toBe("long");
    expect(calls.at(-1)?.url).toBe(`${API}/v1/widget-tokens/renew`);
  });

  it("tells apart a missing network from a refusal, with the problem's own words", async () => {
    fakeApi(({ url }) =>
      url.includes("shop.test") ? { body: { token: "t", visitor_id: "v" } } : new TypeError("failed to fetch"),
    );
    await expect(session().call("/v1/x")).rejects.toBeInstanceOf(NetworkError);
    fakeApi(() => ({ status: 422, body: { title: "Invalid", status: 422, detail: "Too long." } }));
    const refused = await session()
      .call("/v1/x")
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ApiError);
    expect((refused as ApiError).message).toBe("Too long.");
    expect((refused as ApiError).passing).toBe(false);
  });
});

describe("a conversation", () => {
  const token = { body: { token: "t", visitor_id: "v1" } };

  it("goes on after a reload", async () => {
    session().keep({ conversation_id: "c7" });
    const calls = fakeApi(({ url }) =>
      url.includes("shop.test") ? token : { body: { conversation_id: "c7", messages: [{ role: "user", text: "hi" }] } },
    );
    expect((await openConversation(session())).messages).toHaveLength(1);
    expect(calls.at(-1)).toMatchObject({ method: "GET", url: `${API}/v1/conversations/c7` });
  });

  it("starts anew when the old one belongs to someone else or is gone", async () => {
    session().keep({ conversation_id: "gone" });
    fakeApi(({ url, method }) => {
      if (url.includes("shop.test")) return token;
      if (method === "GET") return { status: 404, body: { title: "Not found", status: 404 } };
      return { status: 201, body: { conversation_id: "c8", messages: [] } };
    });
    expect((await openConversation(session())).conversation_id).toBe("c8");
    expect(session().kept.conversation_id).toBe("c8");
  });

  it("is not thrown away because the network is down", async () => {
    session().keep({ conversation_id: "c7" });
    fakeApi(({ url }) => (url.includes("shop.test") ? token : new TypeError("offline")));
    await expect(openConversation(session())).rejects.toBeInstanceOf(NetworkError);
    expect(session().kept.conversation_id).toBe("c7");
  });
});

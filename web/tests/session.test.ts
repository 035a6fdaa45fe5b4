import { beforeEach, describe, expect, it } from "vitest";
import { ApiError, NetworkError } from "../src/api/http.ts";
import { Session } from "../src/api/session.ts";
import { deleteConversation, openConversation } from "../src/api/shopper.ts";
import { fakeApi, memory } from "./help.ts";

const API = "http://api.test";
let store = memory();
const later = (): string => new Date(Date.now() + 900_000).toISOString();
const session = (): Session => new Session({ api: API, tokenUrl: "http://shop.test/token" }, () => store);

beforeEach(() => {
  store = memory();
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

  it("asks the shop again, as the same visitor, when a token is refused: it knows who is signed in now", async () => {
    let asked = 0;
    const calls = fakeApi(({ url, token }) => {
      if (url.includes("shop.test")) return { body: { token: `t${++asked}`, visitor_id: "v1", expires_at: later() } };
      return token === "Bearer t2"
        ? { body: { ok: 1 } }
        : { status: 401, body: { title: "Unauthorized", status: 401 } };
    });
    await expect(session().call("/v1/x")).resolves.toEqual({ ok: 1 });
    expect(calls.map((call) => new URL(call.url).pathname)).toEqual(["/token", "/v1/x", "/token", "/v1/x"]);
    expect(calls[2]?.url).toContain("visitor=v1");
  });

  it("renews the page's own token when it is refused", async () => {
    const calls = fakeApi(({ url, token }) => {
      if (url.endsWith("/renew")) return { body: { token: "new", visitor_id: "v1", expires_at: later() } };
      return token === "Bearer new" ? { body: {} } : { status: 401, body: { title: "Unauthorized", status: 401 } };
    });
    await new Session({ api: API, token: "old" }, () => store).call("/v1/x");
    expect(calls.map((call) => new URL(call.url).pathname)).toEqual(["/v1/x", "/v1/widget-tokens/renew", "/v1/x"]);
  });

  it("ends itself at the shop, and begins anew for who comes after", async () => {
    let asked = 0;
    const calls = fakeApi(({ url }) => ({
      body: url.includes("shop.test") ? { token: `t${++asked}`, visitor_id: "v1", expires_at: later() } : {},
    }));
    const one = session();
    await one.signOut();
    expect(calls).toHaveLength(0);
    await one.call("/v1/x");
    await one.signOut();
    expect(calls.at(-1)).toMatchObject({ url: `${API}/v1/me/session`, token: "Bearer t1" });
    await one.call("/v1/x");
    expect(calls.at(-1)?.token).toBe("Bearer t2");
  });

  it("asks for a new token before one ends", async () => {
    const ends = [new Date(Date.now() + 5000).toISOString(), later()];
    fakeApi(() => ({
      body: { token: ends.length > 1 ? "short" : "long", visitor_id: "v1", expires_at: ends.shift() },
    }));
    const one = session();
    await one.token();
    expect((await one.token()).token).toBe("long");
  });

  it("keeps no token where a reload, or who sits down next, could find it", async () => {
    fakeApi(() => ({ body: { token: "secret", visitor_id: "v1", expires_at: later() } }));
    const written: string[] = [];
    store = { ...memory(), setItem: (_: string, value: string) => void written.push(value) } as Storage;
    await session().token();
    expect(written.length).toBeGreaterThan(0);
    expect(written.join()).not.toContain("secret");
  });

  it.each([
    ["a member after a visitor with the same device id: they signed in", "v1", "", "v1", "m1", 1],
    ["the same member", "v1", "m1", "v1", "m1", 1],
    ["another member", "v1", "m1", "v1", "m2", 0],
    ["nobody, after a member signed out", "v1", "m1", "v1", "", 0],
    ["another device id", "v1", "", "v2", "", 0],
  ])("gives what waits and the conversation only to whom they belong: %s", async (_, visitor, member, then, who, left) => {
    fakeApi(() => ({ body: { token: "t", visitor_id: then, member_id: who || null, expires_at: later() } }));
    session().keep({ visitor_id: visitor, member_id: member, conversation_id: "c1" });
    session().waiting = [{ id: "1", text: "my address is …" }];
    await session().token();
    expect(session().waiting).toHaveLength(left);
    expect(session().kept.conversation_id).toBe(left ? "c1" : undefined);
  });

  it("loses nothing that is said where the browser forbids storage, or has none left", () => {
    const full = {
      ...memory(),
      setItem: () => {
        throw new DOMException("full", "QuotaExceededError");
      },
    } as Storage;
    const forbidden = (): Storage => {
      throw new DOMException("forbidden", "SecurityError");
    };
    for (const kind of [() => full, forbidden]) {
      const one = new Session({ api: API, tokenUrl: "http://shop.test/token" }, kind);
      one.waiting = [{ id: "1", text: "hi" }];
      expect(one.waiting).toHaveLength(1);
      one.waiting = [];
      expect(one.waiting).toHaveLength(0);
    }
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

  it("of a page's own token takes along nothing that another's could have been", async () => {
    const given = (): Session => new Session({ api: API, token: "b" }, () => store);
    given().keep({ conversation_id: "of-a" });
    given().waiting = [{ id: "1", text: "words of A" }];
    fakeApi(({ method }) =>
      method === "GET"
        ? { status: 404, body: { title: "Not found", status: 404 } }
        : { status: 201, body: { conversation_id: "c9", messages: [] } },
    );
    await openConversation(given());
    expect(given().waiting).toEqual([]);
  });

  it.each([401, 403, 429, 500])("is not called deleted when the shop answers %i", async (status) => {
    fakeApi(({ url }) => (url.includes("shop.test") ? token : { status, body: { title: "No", status } }));
    await expect(deleteConversation(session(), "c7")).rejects.toBeInstanceOf(ApiError);
  });

  it("that is not there any more is deleted", async () => {
    fakeApi(({ url }) => (url.includes("shop.test") ? token : { status: 404, body: { title: "No", status: 404 } }));
    await expect(deleteConversation(session(), "c7")).resolves.toBeUndefined();
  });

  it("is not thrown away because the network is down", async () => {
    session().keep({ conversation_id: "c7" });
    fakeApi(({ url }) => (url.includes("shop.test") ? token : new TypeError("offline")));
    await expect(openConversation(session())).rejects.toBeInstanceOf(NetworkError);
    expect(session().kept.conversation_id).toBe("c7");
  });
});

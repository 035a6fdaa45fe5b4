/** Whoever may talk with shoppers hears of those who wait on every page, and is there while the console is open. */
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import { MemoryRouter } from "react-router";
import { afterEach, expect, test, vi } from "vitest";
import { LanguageProvider } from "../../src/console/language.tsx";
import { Frame } from "../../src/console/shell/frame.tsx";
import { api, fresh, page, server } from "./api.tsx";

/** What the page's stream says next. */
const streams = vi.hoisted(() => {
  const late: { answer?: (request: Request) => Promise<Response> } = {};
  const opened: { url: string; say: (text: string) => void }[] = [];
  globalThis.fetch = (async (asked: Request | string) => {
    if (typeof asked !== "string") return (late.answer ?? Response.error)(asked) as Promise<Response>;
    const body = new ReadableStream<Uint8Array>({
      start: (to) => {
        opened.push({ url: asked, say: (text) => to.enqueue(new TextEncoder().encode(text)) });
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }) as typeof fetch;
  Object.assign(globalThis, { late });
  return opened;
});
Object.assign((globalThis as unknown as { late: object }).late, {
  answer: (request: Request) => server.answer(request),
});

afterEach(() => {
  cleanup();
  streams.length = 0;
});

const SIGNED = { account_id: "a", name: "Ada", roles: ["agent"], currency: "EUR", retailer: "Shop" };
const shown = (scopes: readonly string[], waiting: { handoff_id: string }[], role = "agent"): Request[] => {
  const asked = api({
    "GET /v1/agents/inbox": () => ({ waiting: [...waiting], served: [], agents: [], people: [] }),
  });
  const answer = server.answer;
  server.answer = (request) =>
    new URL(request.url).pathname === "/v1/session"
      ? Promise.resolve(Response.json({ ...SIGNED, roles: [role], scopes }))
      : answer(request);
  render(
    page(
      fresh(),
      <MemoryRouter initialEntries={["/today"]}>
        <LanguageProvider>
          <Frame>
            <h1>Today</h1>
          </Frame>
        </LanguageProvider>
      </MemoryRouter>,
    ),
  );
  return asked;
};

test("a shopper who comes while an agent is on another page is told of there, once", async () => {
  const waiting = [{ handoff_id: "h1" }];
  shown(["overview", "agents"], waiting);
  await screen.findByText("1");
  await waitFor(() => expect(streams.map(({ url }) => url)).toEqual(["/v1/agents/stream"]));
  expect(screen.queryByText("Open the inbox")).toBeNull();
  waiting.push({ handoff_id: "h2" });
  streams[0]?.say("event: changed\ndata: {}\n\n");
  await screen.findByText("2 shoppers are waiting");
  expect(screen.getAllByText("Open the inbox")).toHaveLength(1);
});

test("who does not talk with shoppers follows nothing", async () => {
  const asked = shown(["overview"], [{ handoff_id: "h1" }]);
  await screen.findByRole("link", { name: "Today" });
  expect(streams).toEqual([]);
  expect(asked.map(({ url }) => new URL(url).pathname)).not.toContain("/v1/agents/inbox");
});

test("an admin who looks at figures is not taken for somebody who waits for shoppers", async () => {
  shown(["overview", "agents"], [{ handoff_id: "h1" }], "admin");
  await screen.findByText("1");
  expect(streams).toEqual([]);
});

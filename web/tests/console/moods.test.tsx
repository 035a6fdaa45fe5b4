/** What the dials of moods are counted on: where nobody has written yet, the page says what is missing and how it comes. */
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import type { Preview } from "../../src/console/tuning/effect.tsx";
import { Moods } from "../../src/console/tuning/moods.tsx";
import { api, fresh, page, server } from "./api.tsx";

/** The console's client takes the browser's fetch when it is loaded. */
vi.hoisted(() => {
  const late: { answer?: (request: Request) => Promise<Response> } = {};
  globalThis.fetch = (asked) => (late.answer ?? Response.error)(asked as Request) as Promise<Response>;
  Object.assign(globalThis, { late });
});
Object.assign((globalThis as unknown as { late: object }).late, {
  answer: (request: Request) => server.answer(request),
});

afterEach(cleanup);

const preview = (talks: number, decisions: number): Preview =>
  ({
    moods: [
      { name: "offered", before: talks, after: 0, count: talks },
      { name: "brief", before: 1, after: 2, count: decisions },
    ],
  }) as unknown as Preview;

test.each([
  [[{ email: "a", role: "admin", password: "" }], 1],
  [[], 0],
])("without conversations it says what is missing; a demo leads to the shop where one can write", async (demo, links) => {
  api({ "GET /v1/session/ways": { demo } });
  render(page(fresh(), <Moods preview={preview(0, 0)} />));
  await screen.findByText(demo.length > 0 ? /write a few messages as a shopper/ : /once shoppers write/);
  expect(screen.queryAllByRole("link", { name: "Open the demo shop" })).toHaveLength(links);
  expect(screen.queryByRole("table")).toBeNull();
});

test("a figure that has nothing to count on says so beside those that have", () => {
  render(page(fresh(), <Moods preview={preview(0, 12)} />));
  expect(screen.getByRole("row", { name: /person.*Nothing of the kind was logged last week/i }).textContent).toMatch(
    /––$/,
  );
  expect(screen.getByRole("row", { name: /12/ }).textContent).toMatch(/2/);
});

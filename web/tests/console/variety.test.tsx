/** Auditors see how many members are shown too little variety, and an alarm says what to look at. */
import { cleanup, render, screen } from "@testing-library/react";
import { MemoryRouter } from "react-router";
import { afterEach, expect, test, vi } from "vitest";
import { LanguageProvider } from "../../src/console/language.tsx";
import { Variety } from "../../src/console/trust/variety.tsx";
import { api, fresh, page, server } from "./api.tsx";

vi.hoisted(() => {
  const late: { answer?: (request: Request) => Promise<Response> } = {};
  globalThis.fetch = (async (asked: Request) => (late.answer ?? Response.error)(asked)) as typeof fetch;
  Object.assign(globalThis, { late });
});
Object.assign((globalThis as unknown as { late: object }).late, {
  answer: (request: Request) => server.answer(request),
});
vi.stubGlobal(
  "ResizeObserver",
  class {
    observe(): void {}
    disconnect(): void {}
  },
);
afterEach(cleanup);

const WEEK = { week: "2026-11-16", members: 200, narrow: 8, share: 0.04, diversity: 0.7, novelty: 0.5, entropy: 2.25 };
const shown = (more: object): void => {
  const told = { state: "widened", why: [], alarm_share: 0.1, least_members: 20, trend: null, alarm_trend: -0.15 };
  api({ "GET /v1/trust/variety": { ...told, weeks: [WEEK], ...more } });
  render(
    page(
      fresh(),
      <MemoryRouter>
        <LanguageProvider>
          <Variety />
        </LanguageProvider>
      </MemoryRouter>,
    ),
  );
};

test("the newest week is told in numbers, and that slates are widened", async () => {
  shown({});
  expect(await screen.findByText(/8 of 200 members in the week of/)).toBeTruthy();
  expect(screen.getByText("4%")).toBeTruthy();
  expect(screen.getByText("2.25 bits")).toBeTruthy();
  expect(screen.getByText("some members' slates are widened")).toBeTruthy();
  expect(screen.queryByRole("alert")).toBeNull();
});

test("an alarm says what to look at", async () => {
  shown({ state: "alarm", why: ["share", "trend"], trend: -0.2 });
  const alarm = await screen.findByRole("alert");
  expect(alarm.textContent).toContain("From 10% of the members on");
  expect(alarm.textContent).toContain("0.15 bits a week");
});

test("an old week is not told as the last", async () => {
  shown({ state: "unknown" });
  expect(await screen.findByText("nothing is known of last week")).toBeTruthy();
  expect(screen.getByText(/8 of 200 members in the week of/)).toBeTruthy();
});

test("before the first week nothing is claimed", async () => {
  shown({ state: "unknown", weeks: [] });
  expect(await screen.findByText("No week is worked out yet")).toBeTruthy();
});

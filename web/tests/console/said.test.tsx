/** What a page is told is seen on it, and what is still missing is said before anything is saved. */
import { cleanup, fireEvent, render, renderHook, screen, waitFor, within } from "@testing-library/react";
import type { ReactNode } from "react";
import { MemoryRouter } from "react-router";
import { afterEach, expect, test, vi } from "vitest";
import CampaignEditor from "../../src/console/campaigns/editor.tsx";
import { Plan } from "../../src/console/campaigns/planned.tsx";
import { Simulation } from "../../src/console/campaigns/simulation.tsx";
import { useTyped } from "../../src/console/customers/customers.tsx";
import PlanPage from "../../src/console/experiments/plan.tsx";
import type { Detail } from "../../src/console/inbox/conversation.tsx";
import { Suggestions } from "../../src/console/inbox/side.tsx";
import { Facts } from "../../src/console/kit/index.ts";
import { Cameras } from "../../src/console/stores/cameras.tsx";
import { api, fresh, page, press, server, written } from "./api.tsx";

vi.hoisted(() => {
  const late: { answer?: (request: Request) => Promise<Response> } = {};
  globalThis.fetch = (asked) => (late.answer ?? Response.error)(asked as Request) as Promise<Response>;
  Object.assign(globalThis, { late });
});
Object.assign((globalThis as unknown as { late: object }).late, {
  answer: (request: Request) => server.answer(request),
});

afterEach(cleanup);

const routed = (content: ReactNode): ReactNode => page(fresh(), <MemoryRouter>{content}</MemoryRouter>);
const CHOICES = {
  currency: "EUR",
  members: 9,
  reachable: 9,
  segments: [],
  clusters: [],
  labels: [],
  categories: [{ category: "cereal", products: 4 }],
  second_person_above_minor: 100_000,
  holdout: 0.1,
};

test("what is looked for follows the address when it is cleared, and what is typed is not taken back", () => {
  vi.useFakeTimers();
  const ask = vi.fn();
  const { result, rerender } = renderHook(({ value }) => useTyped(value, ask), { initialProps: { value: "ada" } });
  rerender({ value: "" });
  expect(result.current[0]).toBe("");
  vi.advanceTimersByTime(1000);
  expect(ask).not.toHaveBeenCalled();
  vi.useRealTimers();
});

test("an experiment of dials is not saved without a version", async () => {
  const asked = api({
    "GET /v1/tuning/versions": { versions: [], next_cursor: null },
    "POST /v1/experiments/power": { status: 422, title: "too little is known" },
  });
  render(routed(<PlanPage />));
  fireEvent.click(await screen.findByText("Dials"));
  fireEvent.change(screen.getByLabelText(/^What do you expect/), { target: { value: "Bolder dials bring more." } });
  press("Save the draft");
  await screen.findByText(/Choose the version/);
  await screen.findByText(/No version was applied yet/);
  expect(written(asked, "POST /v1/experiments")).toEqual([]);
});

async function toCategories(): Promise<void> {
  fireEvent.change(await screen.findByLabelText(/^Name/), { target: { value: "Spring" } });
  press("Next");
  press("Next");
  await screen.findByText("Some categories");
}

test("coupons for some categories name one", async () => {
  api({ "GET /v1/campaign-choices": CHOICES });
  render(routed(<CampaignEditor />));
  await toCategories();
  fireEvent.click(screen.getByText("Some categories"));
  press("Next");
  await screen.findByText(/Choose a category/);
  expect(screen.getByText("Some categories")).toBeTruthy();
});

test.each([
  ["body.starts_at", "starts too early"],
  ["body.holdout", "is too much"],
  ["body.luck", "is no field"],
])("what is wrong with %s is said", async (where, reason) => {
  api({
    "GET /v1/campaign-choices": CHOICES,
    "POST /v1/campaigns": { title: "", status: 422, detail: `${where}: ${reason}`, errors: [{ where, reason }] },
  });
  render(routed(<CampaignEditor />));
  await toCategories();
  press("Next");
  press("Next");
  press("Save and simulate");
  await screen.findByText(new RegExp(reason));
});

test("a simulation tells how many purchases it expects, with and without the campaign", async () => {
  const figure = (expected: number, low: number, high: number): object => ({ expected, low, high });
  const result = {
    currency: "EUR",
    objective: "orders",
    sentence: "So it goes.",
    told: { code: "", facts: {} },
    spend: figure(5000, 4000, 6000),
    coupons: 80,
    conversions: figure(121, 111, 131),
    conversions_without: 100,
    gained: figure(21, 11, 31),
    lift: figure(0.21, 0.11, 0.31),
    notes: [],
    path: [],
    groups: [],
    fairness: null,
    budget_minor: 10_000,
  };
  api({ "GET /v1/campaigns/c1/simulations/newest": { version: 1, state: "done", progress: 1, result } });
  const one = { campaign_id: "c1", version: 1, state: "draft" } as Parameters<typeof Simulation>[0]["one"];
  render(routed(<Simulation one={one} />));
  const name = await screen.findByText("Expected purchases");
  const shown = within(name.parentElement as HTMLElement);
  shown.getByText("121");
  shown.getByText(/111 to 131 · 100 without it/);
});

test("every canned answer is at hand beside the conversation, those that fit best in front", async () => {
  const replies = ["Hours", "Parking", "Parking", "Returns", "Vouchers"].map((title, place) => ({
    why: "canned",
    title,
    text: `answer ${place}`,
  }));
  api({
    "GET /v1/agents/handoffs/h1/suggestions": { replies, items: [], coupons: [], decision_id: "d", fallback: false },
  });
  const use = vi.fn();
  const detail = { handoff: { handoff_id: "h1" }, messages: [] } as unknown as Detail;
  render(routed(<Suggestions detail={detail} use={use} />));
  expect(await screen.findByText("More canned answers (2)")).toBeTruthy();
  press("Put into the answer: Vouchers");
  expect(use).toHaveBeenCalledWith("answer 4");
});

test("the notice of cameras that are on can be changed, from what it says now", async () => {
  const notice = {
    version: 1,
    text: "Cameras.",
    purpose: "Greeting",
    retention_days: 30,
    uses: ["recognition"],
    at: "",
  };
  const store = {
    store_id: "1",
    etag: '"on"',
    on: true,
    history: [{ number: 1, notice, uses: [], at: "2026-11-01T00:00:00Z", by: "Ben" }],
    notice: { ...notice, at: "2026-11-01T00:00:00Z" },
    uses: ["recognition"],
  };
  const asked = api({
    "GET /v1/stores/cameras": { stores: [store], next_cursor: null },
    "PUT /v1/stores/1/cameras": {},
  });
  render(page(fresh(), <Cameras />));
  fireEvent.click(await screen.findByRole("button", { name: /^Change notice/ }));
  fireEvent.change(screen.getByLabelText(/^Notice at/, { selector: "textarea" }), {
    target: { value: "Cameras recognise members." },
  });
  press("Save the notice");
  await waitFor(() => expect(written(asked, "PUT /v1/stores/1/cameras")).toHaveLength(1));
  expect(await written(asked, "PUT /v1/stores/1/cameras")[0]?.json()).toEqual({
    uses: ["recognition"],
    purpose: "Greeting",
    retention_days: 30,
    notice: "Cameras recognise members.",
  });
});

test("two facts of one name are two facts", () => {
  const wrong = vi.spyOn(console, "error").mockImplementation(() => undefined);
  render(
    <Facts
      facts={[
        ["12:00", "launched"],
        ["12:00", "paused"],
      ]}
    />,
  );
  expect(screen.getAllByText("12:00")).toHaveLength(2);
  expect(wrong).not.toHaveBeenCalled();
});

test("the plan that a second person approves has names and every limit", async () => {
  api({
    "GET /v1/campaign-choices": {
      ...CHOICES,
      segments: [{ segment_id: "0190", name: "Coffee people", description: "" }],
    },
    "GET /v1/campaign-products": { products: [{ product_id: "p1", name: "Arabica", category: "coffee" }] },
    "GET /v1/campaigns/c1/creatives": { creatives: [{ creative_campaign_id: "c1-p1", product: "Arabica, drawn" }] },
  });
  const one = {
    campaign_id: "c1",
    objective: "orders",
    audience: { kind: "segment", of: "0190", labels: {}, listed: 0 },
    ladder: [],
    product_ids: ["p1"],
    categories: [],
    minimum_basket_minor: 2000,
    per_member: 3,
    per_household: null,
    caps: { kiosk: 5000 },
    budget: { minor_units: 10_000, currency: "EUR" },
    starts_at: "2026-11-01T00:00:00Z",
    ends_at: "2026-11-14T00:00:00Z",
    creative_campaign_ids: ["c1-p1"],
    holdout: 0.1,
    author: "Ada",
    approved_by: null,
    moves: [],
  } as unknown as Parameters<typeof Plan>[0]["one"];
  render(routed(<Plan one={one} />));
  for (const fact of ["Coffee people", "Arabica", "Arabica, drawn", "€20.00", "3", "No limit", "Kiosk: €50.00"])
    expect(await screen.findByText(fact)).toBeTruthy();
});

/** What staff change names what they saw when they began, so that whoever was faster is not overwritten, and whoever was slower loses no words. */
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { MemoryRouter, Route, Routes } from "react-router";
import { afterEach, expect, test, vi } from "vitest";
import { ApiError } from "../../src/api/http.ts";
import { Edit } from "../../src/console/accounts/editor.tsx";
import CampaignEditor from "../../src/console/campaigns/editor.tsx";
import { useDrawing } from "../../src/console/campaigns/posters.tsx";
import { Gallery } from "../../src/console/creatives/gallery.tsx";
import { Labels, type Member } from "../../src/console/customers/labels.tsx";
import ExperimentPage from "../../src/console/experiments/experiment.tsx";
import { Canned } from "../../src/console/inbox/canned.tsx";
import { Wrong } from "../../src/console/kit/index.ts";
import { LanguageProvider } from "../../src/console/language.tsx";
import { Cameras } from "../../src/console/stores/cameras.tsx";
import Tuning from "../../src/console/tuning/tuning.tsx";
import { api, changed, fresh, page, press, server, tags, written } from "./api.tsx";

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

const member = (etag: string): Member =>
  ({
    member_id: "m1",
    consented: true,
    labels_etag: etag,
    edited: [],
    vetoed: [],
    labels: [
      {
        name: "promotion_seeker",
        value: true,
        sentence: "Buys what is reduced.",
        confidence: 0.9,
        expires_at: "2027-01-01T00:00:00Z",
        source: "model",
        evidence: {},
      },
    ],
  }) as unknown as Member;

const VETO = "PUT /v1/members/m1/labels/promotion_seeker/veto";

test.each([
  ["Edit: promotion seeker", "Save", "PUT /v1/members/m1/labels/promotion_seeker"],
  ["Not true: promotion seeker", "Not true", VETO],
])("%s names the labels that were seen when it was opened, and reads them anew after a conflict", async (opener, verb, route) => {
  const asked = api({ [route]: changed() });
  const queries = fresh();
  const anew = vi.spyOn(queries, "invalidateQueries");
  const { rerender } = render(page(queries, <Labels member={member('"seen"')} />));
  fireEvent.click(await screen.findByRole("button", { name: opener }));
  rerender(page(queries, <Labels member={member('"newer"')} />));
  fireEvent.change(screen.getByLabelText(/^Why\?/), { target: { value: "told so at the till" } });
  press(verb);
  await screen.findByText(/Somebody else changed this while you had it open/);
  expect(tags(asked, route)).toEqual(['"seen"']);
  await waitFor(() => expect(anew).toHaveBeenCalledWith({ queryKey: ["member", "m1"] }));
});

test("a reason that was written stays after a conflict, and counts once its writer has said so", async () => {
  let late = true;
  const asked = api({ [VETO]: () => (late ? changed("Ben") : {}) });
  render(page(fresh(), <Labels member={member('"seen"')} />));
  fireEvent.click(await screen.findByRole("button", { name: "Not true: promotion seeker" }));
  fireEvent.change(screen.getByLabelText(/^Why\?/), { target: { value: "told so at the till" } });
  press("Not true");
  await screen.findByText(/Ben.* changed this while you had it open/);
  late = false;
  press("Keep mine");
  expect(await screen.findByLabelText(/^Why\?/)).toHaveProperty("value", "told so at the till");
  await waitFor(() => expect(screen.queryByText(/changed this while/)).toBeNull());
  press("Not true");
  await waitFor(() => expect(tags(asked, VETO)).toEqual(['"seen"', '"newest"']));
  expect(await written(asked, VETO)[1]?.json()).toEqual({ reason: "told so at the till" });
});

const CANNED = "PUT /v1/agents/canned-answers/c1";
const canned = (version: number, text: string): object => ({
  answers: [{ answer_id: "c1", title: "Hours", text, language: "en", by: "Ada", version, at: "2026-11-27T09:00:00Z" }],
  next_cursor: null,
});

test("a canned answer names the version that was seen when the dialog was opened; theirs is shown where it is asked for", async () => {
  let now = canned(1, "From 7 to 22.");
  const asked = api({ "GET /v1/agents/canned-answers": () => now, [CANNED]: changed("Ben") });
  const queries = fresh();
  render(page(queries, <Canned />));
  fireEvent.click(await screen.findByRole("button", { name: "Edit" }));
  now = canned(2, "From 8 to 20.");
  await queries.refetchQueries({ queryKey: ["canned-answers"] });
  press("Save");
  await screen.findByText(/Ben.* changed this while you had it open/);
  expect(screen.getByLabelText(/^Words/)).toHaveProperty("value", "From 7 to 22.");
  press("Show theirs");
  await waitFor(() => expect(screen.getByLabelText(/^Words/)).toHaveProperty("value", "From 8 to 20."));
  press("Save");
  await waitFor(() => expect(tags(asked, CANNED)).toEqual(['"answer-1"', '"answer-2"']));
});

test("roles that a colleague has changed are shown, or replaced knowingly", async () => {
  const route = "PATCH /v1/accounts/u1";
  const asked = api({ [route]: changed() });
  const account = { account_id: "u1", name: "Cem", roles: ["agent"], etag: '"seen"' } as unknown as Parameters<
    typeof Edit
  >[0]["account"];
  render(page(fresh(), <Edit account={account} close={() => undefined} />));
  fireEvent.change(await screen.findByLabelText(/^Name/), { target: { value: "Cem B." } });
  press("Save");
  await screen.findByText(/Somebody else changed this/);
  press("Keep mine");
  expect(screen.getByLabelText(/^Name/)).toHaveProperty("value", "Cem B.");
  await waitFor(() => expect(screen.queryByText(/Somebody else changed this/)).toBeNull());
  press("Save");
  await waitFor(() => expect(tags(asked, route)).toEqual(['"seen"', '"newest"']));
});

test("a notice that was written for cameras is still there when somebody else has switched them on", async () => {
  let on = false;
  const store = { store_id: "1", etag: '"off"', history: [], notice: null, uses: [] };
  api({
    "GET /v1/stores/cameras": () => ({ stores: [{ ...store, on }], next_cursor: null }),
    "PUT /v1/stores/1/cameras": () => {
      on = true;
      return changed("Ben");
    },
  });
  render(page(fresh(), <Cameras />));
  fireEvent.click(await screen.findByRole("button", { name: /^Switch on/ }));
  fireEvent.change(screen.getByLabelText(/^Purpose/), { target: { value: "Greeting members" } });
  fireEvent.change(screen.getByLabelText(/^Notice at/), { target: { value: "Cameras here recognise members." } });
  press("Switch on");
  await screen.findByText(/Ben.* changed this while you had it open/);
  expect(screen.getByLabelText(/^Notice at/)).toHaveProperty("value", "Cameras here recognise members.");
  press("Show theirs");
  await screen.findByRole("button", { name: "Switch off" });
});

const at = (path: string, route: string, content: ReactNode): ReactNode => (
  <MemoryRouter initialEntries={[path]}>
    <Routes>
      <Route path={route} element={content} />
    </Routes>
  </MemoryRouter>
);

const EXPERIMENT = {
  experiment_id: "push",
  hypothesis: "",
  arms: [],
  metric: "conversion",
  guardrails: {},
  traffic: 1,
  window_days: 7,
  design: "fixed",
  planned_units: 0,
  started_at: null,
  exposed: {},
  units: {},
  results: [],
  daily: [],
  alarm: null,
  conclusion: [],
  conclusion_told: [],
};

test.each([
  ["draft", "start", "Start", 1],
  ["running", "end", "End", 2],
])("of a %s experiment its state goes along with %s, and who was slower is told and shown how it stands", async (status, verb, name, presses) => {
  let now = { ...EXPERIMENT, status, etag: '"seen"' };
  const route = `POST /v1/experiments/push/${verb}`;
  const asked = api({
    "GET /v1/experiments/push/results": () => now,
    [route]: () => {
      now = { ...now, status: "ended", etag: '"ended"' };
      return changed();
    },
  });
  render(page(fresh(), at("/experiments/push", "/experiments/:experiment", <ExperimentPage />)));
  await screen.findByRole("button", { name });
  for (let pressed = 0; pressed < presses; pressed += 1) press(name);
  await screen.findByText(/Somebody else was faster, so nothing was done/);
  expect(tags(asked, route)).toEqual(['"seen"']);
  expect(screen.queryByRole("button", { name })).toBeNull();
});

const APPROVALS = "/v1/creative-campaigns/spring/approvals";
const variant = (id: string, state: string): object => ({
  variant_id: id,
  family: "warm/1",
  state,
  shown: 0,
  clicked: 0,
  choices: {},
  position: 0,
});
const step = (subject: string, state: string, by: string): object => ({
  subject,
  state,
  by,
  of_family: false,
  at: "2026-11-27T09:00:00Z",
  note: "",
});

/** A gallery of two posters that wait, in which a colleague decides about one of them as soon as somebody here does about "a". */
async function reviewing(theirs: object): Promise<Request[]> {
  let steps = [step("a", "proposed", "policy"), step("b", "proposed", "policy")];
  const asked = api({
    "GET /v1/creative-campaigns/spring/variants": () => ({
      variants: [variant("a", "proposed"), variant("b", "proposed")],
      next_cursor: null,
    }),
    [`GET ${APPROVALS}`]: () => ({ steps, next_cursor: null }),
    [`POST ${APPROVALS}`]: (request) => {
      if (steps.length === 2) steps = [...steps, theirs];
      return request.headers.get("if-match") === `"approvals-${steps.length}"` ? {} : changed();
    },
  });
  const campaign = { campaign_id: "spring" } as Parameters<typeof Gallery>[0]["campaign"];
  render(page(fresh(), <Gallery campaign={campaign} />));
  fireEvent.click(await screen.findByRole("button", { name: "Approve: a" }));
  return asked;
}

test("a decision that a colleague made about the same poster is told, and nothing is written over it", async () => {
  const asked = await reviewing(step("a", "rejected", "Ben"));
  await screen.findByText(/Ben.* was faster, so nothing was done/);
  expect(tags(asked, `POST ${APPROVALS}`)).toEqual(['"approvals-2"']);
});

test("a decision that a colleague made about another poster holds nobody up", async () => {
  const asked = await reviewing(step("b", "rejected", "Ben"));
  await waitFor(() => expect(tags(asked, `POST ${APPROVALS}`)).toEqual(['"approvals-2"', '"approvals-3"']));
  expect(screen.queryByText(/was faster/)).toBeNull();
});

const dials = (version: number, widget: number): object => ({
  current: { version, values: { variety: { widget } } },
  second_person_above: 0.5,
  dials: [{ name: "variety.widget", least: 0, most: 1, step: 0.05, told: "", shipped: 0.3 }],
});
const PROPOSE = "POST /v1/tuning/versions";

test("dials that somebody turned here stay turned when a colleague was faster, and are proposed from where theirs stand", async () => {
  let now = dials(1, 0.3);
  let late = true;
  const asked = api({
    "GET /v1/session/ways": { demo: [] },
    "GET /v1/tuning": () => now,
    "GET /v1/tuning/versions": { versions: [], next_cursor: null },
    [PROPOSE]: () => {
      now = dials(2, 0.7);
      return late ? changed("Ben") : { version: 3, may_apply: false, state: "proposed" };
    },
    "POST /v1/tuning/preview": {
      metrics: [],
      coupons: [],
      moods: [],
      members: [],
      sentence: "",
      wants_second_person: false,
    },
  });
  render(page(fresh(), at("/tuning", "/tuning", <Tuning />)));
  fireEvent.change(await screen.findByRole("slider"), { target: { value: "0.4" } });
  fireEvent.change(await screen.findByLabelText(/^Why/), { target: { value: "more of the same" } });
  press("Propose and apply");
  await screen.findByText(/Ben.* changed this while you had it open/);
  expect(screen.getByRole("slider")).toHaveProperty("value", "0.4");
  late = false;
  press("Keep mine");
  await waitFor(() => expect(screen.queryByText(/changed this while/)).toBeNull());
  press("Propose and apply");
  await waitFor(() => expect(tags(asked, PROPOSE)).toEqual(['"tuning-1"', '"tuning-2"']));
  expect(await written(asked, PROPOSE)[1]?.json()).toMatchObject({ values: { variety: { widget: 0.4 } } });
});

const CAMPAIGN = {
  campaign_id: "c1",
  objective: "conversion",
  audience: { kind: "everybody", of: "", labels: {}, listed: 0 },
  budget: { minor_units: 10_000, currency: "EUR" },
  starts_at: "2026-12-01T00:00:00Z",
  ends_at: "2026-12-24T23:59:59Z",
  holdout: 0.1,
  ladder: [],
  categories: [],
  product_ids: [],
  minimum_basket_minor: 0,
  per_member: 1,
  creative_campaign_ids: [],
};

test("a draft of a campaign survives a colleague's change, and is saved over it by who says so", async () => {
  const route = "PUT /v1/campaigns/c1";
  let version = 1;
  const asked = api({
    "GET /v1/campaigns/c1": () => ({ ...CAMPAIGN, name: version === 1 ? "Advent" : "Ben's", version }),
    "GET /v1/campaign-choices": {
      currency: "EUR",
      labels: [],
      clusters: [],
      segments: [],
      categories: [],
      objectives: [],
    },
    "GET /v1/creative-campaigns": { campaigns: [], next_cursor: null },
    [route]: () => {
      version = 2;
      return changed("Ben");
    },
  });
  render(page(fresh(), at("/campaigns/c1/edit", "/campaigns/:campaign/edit", <CampaignEditor />)));
  fireEvent.change(await screen.findByLabelText(/^Name/), { target: { value: "Mine" } });
  for (let step = 0; step < 4; step += 1) press("Next");
  press(/^Save/);
  await screen.findByText(/Ben.* changed this while you had it open/);
  press("Keep mine");
  await waitFor(() => expect(screen.queryByText(/changed this while/)).toBeNull());
  press(/^Save/);
  await waitFor(() => expect(tags(asked, route)).toEqual(['"campaign-1"', '"campaign-2"']));
  expect(await written(asked, route)[1]?.json()).toMatchObject({ name: "Mine" });
});

test("who was slower is told in the console's language", async () => {
  localStorage.setItem("aisle:console:language", "ar");
  const error = new ApiError(412, { title: "Precondition Failed", status: 412 });
  render(page(fresh(), <LanguageProvider>{<Wrong error={error} theirs={() => undefined} />}</LanguageProvider>));
  localStorage.removeItem("aisle:console:language");
  expect(screen.getByRole("alert").textContent).toMatch(/غيّر شخص آخر هذا/);
});

function Draw(): ReactNode {
  const drawing = useDrawing();
  return (
    <button type="button" onClick={() => drawing.mutate("spring")}>
      Draw
    </button>
  );
}

test("posters that could not be drawn are told", async () => {
  const problem = { title: "There is no font to draw with.", status: 503 };
  api({ "POST /v1/creative-campaigns/spring/designs": problem });
  render(page(fresh(), <Draw />));
  press("Draw");
  await screen.findByText(problem.title);
});

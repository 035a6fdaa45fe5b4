import { describe, expect, it, vi } from "vitest";
import { CreativesPage } from "../src/creatives/page.ts";

const variants = [
  { variant_id: "v1", family: "arc/lora/paper", state: "proposed", shown: 0, clicked: 0 },
  { variant_id: "v2", family: "card/inter/dark", state: "approved", shown: 40, clicked: 3 },
];
const steps = [
  { subject: "v2", of_family: false, state: "approved", by: "mia", at: "2026-11-20T10:00:00Z", note: "fine" },
  { subject: "v1", of_family: false, state: "proposed", by: "studio", at: "2026-11-20T11:00:00Z", note: "" },
];

/** A server that answers as the api does, and remembers what it was told. */
function serving(): { told: [string, unknown][] } {
  const told: [string, unknown][] = [];
  const answer = (path: string): unknown =>
    path.endsWith("/creative-campaigns")
      ? { campaigns: [{ campaign_id: "spring", product_id: "p", approval: "each", placed: 43 }] }
      : path.endsWith("/variants")
        ? { variants }
        : { steps };
  vi.stubGlobal("fetch", async (path: string, init: RequestInit = {}) => {
    if (init.method === "POST") told.push([path, JSON.parse(String(init.body))]);
    return path.endsWith("/preview") ? new Response(new Blob(["RIFF"])) : Response.json(answer(path));
  });
  URL.createObjectURL = () => "blob:poster";
  return { told };
}

async function opened(): Promise<HTMLElement> {
  sessionStorage.setItem("aisle:creatives", JSON.stringify({ key: "ak_x", name: "mia" }));
  const root = document.createElement("div");
  new CreativesPage(root);
  await vi.waitFor(() => expect(root.querySelectorAll("img").length).toBe(2));
  return root;
}

describe("the creatives' page", () => {
  it("shows what waits first, with its picture, and who decided what, the latest first", async () => {
    serving();
    const root = await opened();
    const shown = [...root.querySelectorAll<HTMLElement>("[data-testid=creatives-variant]")];
    expect(shown.map((one) => one.dataset.variant)).toEqual(["v1", "v2"]);
    expect(shown[1]?.textContent).toContain("shown 40 times, 3 clicks");
    const rows = [...root.querySelectorAll("[data-testid=creatives-history] tbody tr")];
    expect(rows.map((row) => row.children[1]?.textContent)).toEqual(["studio", "mia"]);
  });

  it("approves in the name of who signed in", async () => {
    const { told } = serving();
    const root = await opened();
    root.querySelector<HTMLButtonElement>("[data-testid=creatives-approved]")?.click();
    await vi.waitFor(() => expect(told.length).toBe(1));
    expect(told[0]).toEqual([
      "/v1/creative-campaigns/spring/approvals",
      { subject: "v1", state: "approved", by: "mia" },
    ]);
  });

  it("asks for a key where there is none", () => {
    sessionStorage.clear();
    const root = document.createElement("div");
    new CreativesPage(root);
    expect(root.querySelector("[data-testid=creatives-door]")).not.toBeNull();
  });
});

import { describe, expect, it } from "vitest";
import type { Campaign } from "../src/console/campaigns/campaigns.tsx";
import { audienceOf, bodyOf, fresh, fromCampaign } from "../src/console/campaigns/draft.ts";
import { units } from "../src/console/currency.ts";

const stored = {
  campaign_id: "coffee",
  name: "Coffee",
  objective: "margin",
  audience: { kind: "labels", of: "", labels: { rhythm: "weekly" }, listed: 0 },
  budget: { minor_units: 12_345, currency: "USD", text: "$123.45" },
  starts_at: "2026-06-01T00:00:00+00:00",
  ends_at: "2026-06-14T23:59:59+00:00",
  ladder: [
    { discount_minor: 50, percent: null },
    { discount_minor: 200, percent: 15 },
  ],
  product_ids: ["p1"],
  categories: ["Coffee"],
  minimum_basket_minor: 1_000,
  per_member: null,
  per_household: 3,
  caps: { kiosk: 500 },
  creative_campaign_ids: ["posters-coffee-1"],
  holdout: 0.1,
} as unknown as Campaign;

describe("the editor's draft", () => {
  it("sends back what was stored, with what it has no field for", () => {
    const body = bodyOf(fromCampaign(stored), "USD", stored);
    expect(body).toMatchObject({
      budget_minor: 12_345,
      ladder: stored.ladder,
      product_ids: ["p1"],
      per_member: null,
      per_household: 3,
      caps: { kiosk: 500 },
      holdout: 0.1,
      creative_campaign_ids: ["posters-coffee-1"],
      posters_for: [],
      minimum_basket_minor: 1_000,
      starts_at: stored.starts_at,
      ends_at: stored.ends_at,
    });
    expect(body.audience).toMatchObject({ kind: "labels", labels: { rhythm: "weekly" } });
  });

  it("keeps what its fields show only in part, until they are touched", () => {
    const fine = {
      ...stored,
      audience: { ...stored.audience, labels: { rhythm: "weekly", pets: "true" } },
      starts_at: "2026-06-01T09:30:00+00:00",
      holdout: 0.125,
      ladder: [
        { discount_minor: 200, percent: 10 },
        { discount_minor: 200, percent: 15 },
      ],
    } as unknown as Campaign;
    const draft = fromCampaign(fine);
    const same = bodyOf(draft, "USD", fine);
    expect(same).toMatchObject({ starts_at: fine.starts_at, holdout: 0.125, ladder: fine.ladder });
    expect(same.audience?.labels).toEqual(fine.audience.labels);
    const touched = { ...draft, starts: "2026-06-02", holdout: 20, value: "monthly", discounts: [2, 3] };
    const changed = bodyOf(touched, "USD", fine);
    expect(changed).toMatchObject({ starts_at: "2026-06-02T00:00:00Z", ends_at: fine.ends_at, holdout: 0.2 });
    expect(changed.ladder.map((step) => step.percent)).toEqual([10, 15]);
    expect(changed.audience?.labels).toEqual({ rhythm: "monthly", pets: "true" });
  });

  it("counts minor units as the currency has them", () => {
    expect([units("USD"), units("JPY"), units("BHD")]).toEqual([100, 1, 1000]);
    expect(bodyOf({ ...fresh(), budget: 200, discounts: [5] }, "JPY")).toMatchObject({
      budget_minor: 200,
      ladder: [{ discount_minor: 5, percent: null }],
    });
  });

  it("takes a list however it is written, and keeps a stored one that was not touched", () => {
    const listed = { ...fresh(), audience: "list" as const };
    expect(audienceOf({ ...listed, listed: "a, b;c\n d" }).members).toEqual(["a", "b", "c", "d"]);
    expect(audienceOf({ ...listed, listed: null }).members).toBeNull();
  });
});

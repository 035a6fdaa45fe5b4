/** What the editor's fields hold, and the body that they make. Money is in major units here, as people write it. */
import type { components } from "../../api/generated.d.ts";
import type { Answer } from "../client.ts";
import { units } from "../currency.ts";
import type { Campaign } from "./campaigns.tsx";

export type CampaignIn = components["schemas"]["CampaignIn"];
export type Product = Answer<"/v1/campaign-products", "get">["products"][number];
export type AudienceIn = components["schemas"]["AudienceIn"];
const DAY_MS = 86_400_000;
const SHIPPED_DISCOUNTS = [0.5, 1];
const SHIPPED_BUDGET = 200;
const SHIPPED_DAYS = 14;

export interface Draft {
  readonly name: string;
  readonly objective: CampaignIn["objective"] & string;
  readonly audience: "everybody" | "list" | "cluster" | "labels" | "segment";
  readonly of: string;
  readonly label: string;
  readonly value: string;
  /** Labels that it must have beside, of a campaign that was made elsewhere. */
  readonly others: Readonly<Record<string, string>>;
  /** What stands in the list's field; null keeps the list that is stored. */
  readonly listed: string | null;
  readonly discounts: readonly number[];
  /** Of each discount the part of the price that it is, where it is one. */
  readonly percents: readonly (number | null)[];
  readonly categories: readonly string[] | null;
  readonly minimum: number;
  readonly perMember: number;
  readonly budget: number;
  readonly starts: string;
  readonly ends: string;
  /** In percent. */
  readonly holdout: number;
  /** Campaigns of posters that go with it. */
  readonly posters: readonly string[];
  /** Products that posters are to be drawn for. */
  readonly drawFor: readonly Product[];
}

const dayOf = (at: Date): string => at.toISOString().slice(0, 10);

export function fresh(now = new Date()): Draft {
  return {
    name: "",
    objective: "orders",
    audience: "everybody",
    of: "",
    label: "",
    value: "",
    others: {},
    listed: "",
    discounts: SHIPPED_DISCOUNTS,
    percents: SHIPPED_DISCOUNTS.map(() => null),
    categories: null,
    minimum: 0,
    perMember: 1,
    budget: SHIPPED_BUDGET,
    starts: dayOf(now),
    ends: dayOf(new Date(now.getTime() + SHIPPED_DAYS * DAY_MS)),
    holdout: 10,
    posters: [],
    drawFor: [],
  };
}

const storedDay = (at: string): string => at.slice(0, 10);
const storedHoldout = (one: Campaign): number => Math.round(one.holdout * 100);

export function fromCampaign(one: Campaign): Draft {
  const minor = units(one.budget.currency);
  const [[label, value] = ["", ""], ...others] = Object.entries(one.audience.labels);
  return {
    name: one.name,
    objective: one.objective as Draft["objective"],
    audience: one.audience.kind as Draft["audience"],
    of: one.audience.of,
    label,
    value,
    others: Object.fromEntries(others),
    listed: one.audience.kind === "list" ? null : "",
    discounts: one.ladder.map((step) => step.discount_minor / minor),
    percents: one.ladder.map((step) => step.percent),
    categories: one.categories.length > 0 ? one.categories : null,
    minimum: one.minimum_basket_minor / minor,
    perMember: one.per_member ?? Number.NaN,
    budget: one.budget.minor_units / minor,
    starts: storedDay(one.starts_at),
    ends: storedDay(one.ends_at),
    holdout: storedHoldout(one),
    posters: one.creative_campaign_ids,
    drawFor: [],
  };
}

export function audienceOf(draft: Draft): AudienceIn {
  const listed = draft.listed?.split(/[\s,;]+/).filter(Boolean) ?? null;
  return {
    kind: draft.audience,
    of: draft.audience === "cluster" || draft.audience === "segment" ? draft.of : "",
    labels: draft.audience === "labels" && draft.label ? { ...draft.others, [draft.label]: draft.value } : {},
    members: draft.audience === "list" ? listed : null,
  };
}

/** The body that is sent. What was stored and has no field here (products, caps) stays, and what a field that was left alone shows only roughly (times, the holdout). */
export function bodyOf(draft: Draft, currency: string, was?: Campaign): CampaignIn {
  const minor = units(currency);
  const written = (value: number): number => Math.round((Number.isNaN(value) ? 0 : value) * minor);
  const at = (day: string, time: string, stored?: string): string =>
    stored && storedDay(stored) === day ? stored : `${day}T${time}Z`;
  return {
    name: draft.name.trim(),
    objective: draft.objective,
    audience: audienceOf(draft),
    budget_minor: written(draft.budget),
    starts_at: at(draft.starts, "00:00:00", was?.starts_at),
    ends_at: at(draft.ends, "23:59:59", was?.ends_at),
    ladder: draft.discounts.map((amount, place) => ({
      discount_minor: written(amount),
      percent: draft.percents[place] ?? null,
    })),
    product_ids: was?.product_ids ?? [],
    categories: [...(draft.categories ?? [])],
    minimum_basket_minor: written(draft.minimum),
    per_member: Number.isNaN(draft.perMember) ? null : draft.perMember,
    per_household: was?.per_household ?? null,
    caps: (was?.caps ?? {}) as NonNullable<CampaignIn["caps"]>,
    creative_campaign_ids: [...draft.posters],
    posters_for: draft.drawFor.map((one) => one.product_id),
    holdout: was && draft.holdout === storedHoldout(was) ? was.holdout : draft.holdout / 100,
  };
}

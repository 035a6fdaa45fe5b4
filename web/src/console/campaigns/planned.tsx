/** A campaign's plan in words: what a second person approves has names, and every limit that counts. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { read } from "../client.ts";
import { Card, Facts } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { useSegmentNames } from "../told/names.ts";
import type { Campaign } from "./campaigns.tsx";
import { usePosters } from "./posters.tsx";
import { CAMPAIGN_WORDS } from "./words.ts";

/** So many products are named, as many as are asked for at once; the others are counted. */
const NAMED = 20;

function useAudience(one: Campaign): string {
  const words = useWords(CAMPAIGN_WORDS);
  const called = useSegmentNames();
  const { count } = useFormats();
  const { kind, of, labels, listed } = one.audience;
  const choices = useQuery({
    queryKey: ["campaign-choices"],
    queryFn: () => read("/v1/campaign-choices"),
    enabled: kind === "cluster" || kind === "segment",
  });
  if (kind === "list") return words.size(count(listed));
  if (kind === "labels")
    return Object.entries(labels)
      .map(([name, value]) => `${name.replaceAll("_", " ")}: ${value}`)
      .join(", ");
  if (kind === "everybody") return words.everybody;
  const { clusters = [], segments = [] } = choices.data ?? {};
  const name =
    kind === "cluster"
      ? clusters.find((each) => each.cluster_id === of)?.name
      : segments.find((each) => each.segment_id === of)?.name;
  return name === undefined ? of : called(name);
}

/** What coupons are good for: categories and products, by their names. */
function useGoods(one: Campaign): string {
  const words = useWords(CAMPAIGN_WORDS);
  const { count } = useFormats();
  const asked = one.product_ids.slice(0, NAMED);
  const found = useQuery({
    queryKey: ["campaign-products", asked],
    queryFn: () => read("/v1/campaign-products", { params: { query: { ids: asked } } }),
    enabled: asked.length > 0,
  });
  const named = new Map(found.data?.products.map((product) => [product.product_id, product.name]));
  const rest = one.product_ids.length - asked.length;
  const goods = [
    ...one.categories,
    ...asked.map((id) => named.get(id) ?? id),
    ...(rest > 0 ? [words.moreProducts(count(rest))] : []),
  ];
  return goods.join(", ") || words.anything;
}

function usePostersNamed(one: Campaign): string {
  const words = useWords(CAMPAIGN_WORDS);
  const { data } = usePosters(one);
  const named = new Map(data?.creatives.map((line) => [line.creative_campaign_id, line.product]));
  return one.creative_campaign_ids.map((id) => named.get(id) ?? id).join(", ") || words.noPosters;
}

export function Plan({ one }: { readonly one: Campaign }): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const { money, share, utcDay, count } = useFormats();
  const { currency } = one.budget;
  const audience = useAudience(one);
  const goods = useGoods(one);
  const posters = usePostersNamed(one);
  const ladder = one.ladder.map((step) => {
    const amount = money(step.discount_minor, currency);
    return step.percent === null ? amount : words.upTo(share(step.percent / 100), amount);
  });
  const most = (limit: number | null): string => (limit === null ? words.noLimit : count(limit));
  const caps = Object.entries(one.caps).map(
    ([channel, cap]) => `${words.channels[channel] ?? channel}: ${money(cap, currency)}`,
  );
  return (
    <Card title={words.plan}>
      <Facts
        facts={[
          [words.goal, words.goals[one.objective]?.[0] ?? one.objective],
          [words.audience, audience],
          [words.coupons, words.off(ladder.join(" / "))],
          [words.products, goods],
          [words.minimum, one.minimum_basket_minor > 0 ? money(one.minimum_basket_minor, currency) : words.noMinimum],
          [words.perMember, most(one.per_member)],
          [words.perHousehold, most(one.per_household)],
          [words.budget, money(one.budget.minor_units, currency)],
          [words.caps, caps.join(", ") || words.noLimit],
          [words.runs, words.period(utcDay(one.starts_at), utcDay(one.ends_at))],
          [words.posters, posters],
          [words.holdout, share(one.holdout)],
          [words.author, one.author],
          ...(one.approved_by ? [[words.approvedBy, one.approved_by] as const] : []),
        ]}
      />
    </Card>
  );
}

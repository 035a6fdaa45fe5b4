/** What a campaign added: those who could get a coupon against those who were left out. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { read } from "../client.ts";
import { Effects } from "../experiments/effects.tsx";
import { Card, DataTable, Loaded, Meaning } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { Says } from "../told/told.tsx";
import type { Campaign } from "./campaigns.tsx";
import { CAMPAIGN_WORDS } from "./words.ts";

export function Results({ one }: { readonly one: Campaign }): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const { count } = useFormats();
  const query = useQuery({
    queryKey: ["results", one.campaign_id, one.state],
    queryFn: () => read("/v1/campaigns/{campaign_id}/results", { params: { path: { campaign_id: one.campaign_id } } }),
  });
  return (
    <Loaded query={query}>
      {(told) => (
        <div className="grid">
          <Card title={words.measured} wide actions={<Meaning name={words.measured} at="lift" />}>
            {told.conclusion.map((line, place) => (
              <p key={line}>
                <Says told={told.conclusion_told[place]} english={line} />
              </p>
            ))}
            {Object.keys(told.exposed).length > 0 && (
              <p className="muted">
                {words.exposed}: {count(told.exposed.campaign ?? 0)} / {count(told.exposed.holdout ?? 0)}
              </p>
            )}
            {told.lift && told.lift.effects.length > 0 && (
              <Effects
                caption={words.measured}
                hideCaption
                effects={told.lift.effects}
                csv="measured"
                currency={told.budget.currency}
                titles={{
                  metric: words.metric,
                  first: words.withIt,
                  second: words.without,
                  difference: words.difference,
                  interval: words.interval,
                }}
                named={(metric) => words.metrics[metric] ?? metric}
                between={words.between}
                armFirst
              />
            )}
          </Card>
          <Card title={words.rungs} wide>
            <DataTable
              caption={words.rungs}
              hideCaption
              rows={told.rungs}
              rowKey={(rung) => String(rung.discount_minor)}
              csv="discounts"
              columns={[
                {
                  key: "discount",
                  title: words.coupons,
                  value: (rung) => rung.discount_minor,
                  money: told.budget.currency,
                },
                { key: "given", title: words.given, value: (rung) => rung.given, numeric: true },
                { key: "redeemed", title: words.redeemed, value: (rung) => rung.redeemed, numeric: true },
              ]}
            />
          </Card>
        </div>
      )}
    </Loaded>
  );
}

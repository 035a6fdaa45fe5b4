/** How a campaign's money goes, and what a unit of it is worth. */
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useCallback } from "react";
import { type Answer, read } from "../client.ts";
import { units } from "../currency.ts";
import { Card, Chart, Empty, Figure, Loaded, Meaning, Progress } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { Says, useWording } from "../told/told.tsx";
import "./campaigns.css";
import { CAMPAIGN_WORDS } from "./words.ts";

type Told = Answer<"/v1/campaigns/{campaign_id}/pacing", "get">;
type Plot = typeof import("@observablehq/plot");
const AXES = {
  marginLeft: 52,
  x: { label: null, type: "utc" },
  y: { label: null, ticks: 4, grid: true, zero: true },
} as const;
const FLAT = { ...AXES, y: { ...AXES.y, domain: [0, 1], ticks: [0] } };

function Charts({ told }: { readonly told: Told }): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const wording = useWording();
  const { number, time } = useFormats();
  const { points, currency } = told;
  const minor = units(currency);
  const spending = useCallback(
    (plot: Plot) => [
      plot.lineY(points, {
        x: (one) => new Date(one.at),
        y: (one) => one.planned / minor,
        stroke: "var(--chart-4)",
        strokeDasharray: "4 4",
      }),
      plot.lineY(points, {
        x: (one) => new Date(one.at),
        y: (one) => one.spent / minor,
        stroke: "var(--chart-1)",
        strokeWidth: 2,
      }),
      plot.lineY(points, {
        x: (one) => new Date(one.at),
        y: (one) => (one.spent + one.reserved) / minor,
        stroke: "var(--chart-2)",
      }),
      plot.ruleY([0], { stroke: "var(--aisle-control-line)" }),
    ],
    [points, minor],
  );
  const prices = useCallback(
    (plot: Plot) => [
      plot.lineY(points, {
        x: (one) => new Date(one.at),
        y: (one) => one.price,
        stroke: "var(--chart-1)",
        strokeWidth: 2,
      }),
      plot.ruleY([0], { stroke: "var(--aisle-control-line)" }),
    ],
    [points],
  );
  const at = {
    key: "at",
    title: words.time,
    value: (one: Told["points"][number]) => one.at,
    cell: (one: Told["points"][number]) => time(one.at),
  };
  return (
    <div className="grid">
      <div>
        <ul className="row pace-legend">
          <li>{words.spent}</li>
          <li>{`${words.spent} + ${words.promised}`}</li>
          <li>{words.planned}</li>
        </ul>
        <Chart
          title={words.paceTitle}
          answer={wording(told.told) ?? told.sentence}
          rows={points}
          columns={[
            at,
            {
              key: "spent",
              title: words.spent,
              value: (one) => one.spent,
              money: currency,
              numeric: true,
            },
            {
              key: "promised",
              title: words.promised,
              value: (one) => one.reserved,
              money: currency,
              numeric: true,
            },
            {
              key: "planned",
              title: words.planned,
              value: (one) => one.planned,
              money: currency,
              numeric: true,
            },
          ]}
          marks={spending}
          options={AXES}
          csv="pacing"
        />
      </div>
      <Chart
        title={words.priceTitle}
        answer={words.priceAnswer(number(told.price ?? 0, 4))}
        rows={points}
        columns={[
          at,
          {
            key: "price",
            title: words.price,
            value: (one) => one.price,
            cell: (one) => number(one.price, 5),
            numeric: true,
          },
        ]}
        marks={prices}
        options={points.some((one) => one.price) ? AXES : FLAT}
        csv="price-of-money"
      />
    </div>
  );
}

export function Pacing({ campaign, state = "" }: { readonly campaign: string; readonly state?: string }): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const { money, count } = useFormats();
  const query = useQuery({
    queryKey: ["pacing", campaign, state],
    queryFn: () => read("/v1/campaigns/{campaign_id}/pacing", { params: { path: { campaign_id: campaign } } }),
    refetchInterval: 10_000,
  });
  return (
    <Card
      title={words.pacing}
      wide
      actions={
        <>
          {words.pacing} <Meaning name={words.pacing} at="pace" /> {words.price}{" "}
          <Meaning name={words.price} at="price_of_money" />
        </>
      }
    >
      <Loaded query={query}>
        {(told) => (
          <>
            <p className="lead">
              <Says told={told.told} english={told.sentence} />
            </p>
            <Progress
              label={words.spent}
              value={told.spent + told.reserved}
              most={Math.max(told.total, 1)}
              written={`${money(told.spent, told.currency)} + ${money(told.reserved, told.currency)} / ${money(told.total, told.currency)}`}
            />
            <div className="figures">
              <Figure name={words.spent} value={money(told.spent, told.currency)} definition="budget" />
              <Figure name={words.promised} value={money(told.reserved, told.currency)} definition="budget" />
              <Figure name={words.open} value={count(told.coupons.open ?? 0)} />
              <Figure name={words.redeemed} value={count(told.coupons.redeemed ?? 0)} />
            </div>
            {told.points.length > 0 ? (
              <Charts told={told} />
            ) : (
              <Empty title={words.noPoints}>{words.noPointsAbout}</Empty>
            )}
          </>
        )}
      </Loaded>
    </Card>
  );
}

/** Predicted and real performance of variants, by audience. */
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useCallback, useMemo, useState } from "react";
import { type Answer, read } from "../client.ts";
import { Card, Chart, Choice, type Column, Empty, Loaded } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import type { Campaign } from "./creatives.tsx";
import { CREATIVES_WORDS } from "./words.ts";

type Told = Answer<"/v1/creative-campaigns/{campaign_id}/performance", "get">;
type ForAudience = Told["audiences"][number];
type Line = ForAudience["variants"][number];
const ROW_PX = 26;
const nameOf = (family: string): string => family.replaceAll("/", " · ");
const AXES = { x: { label: null, grid: true }, y: { label: null }, marginLeft: 190, marginRight: 16 } as const;

function useColumns(): readonly Column<Line>[] {
  const words = useWords(CREATIVES_WORDS);
  const { count, number, share } = useFormats();
  return useMemo(() => {
    const within = (
      value: number | null,
      low: number | null,
      high: number | null,
      write: (n: number) => string,
    ): string =>
      value === null || low === null || high === null ? "–" : `${write(value)} (${write(low)} – ${write(high)})`;
    return [
      { key: "variant", title: words.variant, value: (line) => nameOf(line.family) },
      {
        key: "predicted",
        title: words.predicted,
        value: (line) => line.predicted,
        cell: (line) => within(line.predicted, line.predicted_low, line.predicted_high, (n) => `× ${number(n, 2)}`),
        numeric: true,
      },
      {
        key: "rate",
        title: words.real,
        value: (line) => line.rate,
        cell: (line) => within(line.rate, line.rate_low, line.rate_high, (n) => share(n)),
        numeric: true,
      },
      {
        key: "shown",
        title: words.views,
        value: (line) => line.shown,
        cell: (line) => count(line.shown),
        numeric: true,
      },
      {
        key: "clicked",
        title: words.clicks,
        value: (line) => line.clicked,
        cell: (line) => count(line.clicked),
        numeric: true,
      },
      {
        key: "share",
        title: words.share,
        value: (line) => line.share,
        cell: (line) => (line.share === null ? "–" : share(line.share, 0)),
        numeric: true,
      },
    ];
  }, [words, count, number, share]);
}

function Before({ audience, campaign }: { readonly audience: ForAudience; readonly campaign: string }): ReactNode {
  const words = useWords(CREATIVES_WORDS);
  const { number, signed, share } = useFormats();
  const columns = useColumns();
  const lines = useMemo(() => {
    const sorted = [...audience.variants].sort((a, b) => (b.predicted ?? 0) - (a.predicted ?? 0));
    const seen = new Map<string, number>();
    return sorted.map((line) => {
      // Variants of one family are told apart by a number.
      const number = (seen.get(line.family) ?? 0) + 1;
      seen.set(line.family, number);
      return { ...line, name: number > 1 ? `${nameOf(line.family)} ${number}` : nameOf(line.family) };
    });
  }, [audience]);
  const marks = useCallback(
    (plot: typeof import("@observablehq/plot")) => [
      plot.ruleX([1], { stroke: "var(--aisle-control-line)", strokeDasharray: "4 3" }),
      plot.ruleY(lines, {
        y: "name",
        x1: "predicted_low",
        x2: "predicted_high",
        stroke: "var(--chart-1)",
        strokeWidth: 2,
      }),
      plot.dot(lines, { y: "name", x: "predicted", fill: "var(--chart-1)", r: 4, sort: { y: "-x" } }),
    ],
    [lines],
  );
  const best = lines.at(0);
  const shown = lines.some((line) => line.shown > 0);
  const gain = best?.predicted ? signed(best.predicted - 1, (n) => share(n, 0)) : number(1);
  return (
    <Chart
      title={words.question}
      answer={shown && best ? words.answer(best.name, gain) : words.noAnswer}
      rows={lines}
      columns={columns}
      marks={marks}
      options={AXES}
      height={60 + ROW_PX * lines.length}
      csv={`performance-${campaign}`}
    />
  );
}

function Shown({ told, campaign }: { readonly told: Told; readonly campaign: string }): ReactNode {
  const words = useWords(CREATIVES_WORDS);
  const [chosen, setChosen] = useState("0");
  const audience = told.audiences[Number(chosen)] ?? told.audiences[0];
  if (!audience) return <Empty title={words.noPerformance} />;
  const called = ({ audience: { segment, channel, affect, category } }: ForAudience): string =>
    [segment, channel, affect, category].filter(Boolean).join(" · ") || words.everybody;
  return (
    <Card wide title={words.performance} about={told.learned ? words.learned : words.priors}>
      <Choice
        label={words.audience}
        value={chosen}
        onChange={setChosen}
        options={told.audiences.map((one, place) => ({ id: String(place), name: called(one) }))}
      />
      <Before audience={audience} campaign={campaign} />
    </Card>
  );
}

export function Performance({ campaign }: { readonly campaign: Campaign }): ReactNode {
  const { campaign_id: id } = campaign;
  const query = useQuery({
    queryKey: ["creative-campaigns", id, "performance"],
    queryFn: () => read("/v1/creative-campaigns/{campaign_id}/performance", { params: { path: { campaign_id: id } } }),
  });
  return (
    <Loaded query={query} lines={8}>
      {(told) => <Shown told={told} campaign={id} />}
    </Loaded>
  );
}

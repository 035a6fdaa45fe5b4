/** How many members are shown too little variety, week by week, and whether that is an alarm. */
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useCallback, useMemo } from "react";
import { type Answer, read } from "../client.ts";
import { Card, Chart, Empty, Figure, Loaded, Tag, type Tone } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { TRUST_WORDS } from "./words.ts";

type Told = Answer<"/v1/trust/variety", "get">;
type Week = Told["weeks"][number];
const TONES: Readonly<Record<string, Tone>> = { quiet: "good", widened: "warn", alarm: "bad" };
const OPTIONS = {
  x: { label: null, type: "utc" as const, ticks: 5 },
  y: { label: null, grid: true, ticks: 4, tickFormat: "%", zero: true },
};
const day = (week: Week): Date => new Date(`${week.week}T00:00:00Z`);

function Alarm({ told }: { readonly told: Told }): ReactNode {
  const words = useWords(TRUST_WORDS);
  const { share, number } = useFormats();
  if (told.why.length === 0) return <Tag tone={TONES[told.state] ?? "plain"}>{words.varietyStates[told.state]}</Tag>;
  const limits = { share: share(told.alarm_share), trend: number(-told.alarm_trend, 2) };
  return (
    <div className="trouble" role="alert">
      {told.why.map((one) => (
        <p key={one}>
          <strong>{words.varietyStates.alarm}.</strong> {words.alarms[one](limits[one])}
        </p>
      ))}
    </div>
  );
}

function Newest({ told, week }: { readonly told: Told; readonly week: Week }): ReactNode {
  const words = useWords(TRUST_WORDS);
  const { share, number, signed } = useFormats();
  const of = (value: number | null, write: (value: number) => string): string => (value === null ? "–" : write(value));
  return (
    <div className="figures">
      <Figure name={words.narrow} value={share(week.share)} />
      <Figure name={words.diversity} value={of(week.diversity, share)} note={words.diversityWhat} />
      <Figure name={words.novelty} value={of(week.novelty, share)} note={words.noveltyWhat} />
      <Figure
        name={words.entropy}
        value={of(week.entropy, (value) => words.bits(number(value, 2)))}
        note={told.trend === null ? undefined : words.bitsTrend(signed(told.trend, (size) => number(size, 2)))}
      />
    </div>
  );
}

function Weeks({ told, last }: { readonly told: Told; readonly last: Week }): ReactNode {
  const words = useWords(TRUST_WORDS);
  const { count, share, number, utcDay } = useFormats();
  const rows = useMemo(() => told.weeks.map((one) => ({ at: day(one), share: one.share })), [told.weeks]);
  const marks = useCallback(
    (plot: typeof import("@observablehq/plot")) => [
      plot.rectY(rows, { x: "at", y: "share", interval: "monday", fill: "var(--chart-1)" }),
      plot.ruleY([told.alarm_share], { stroke: "var(--aisle-alert)", strokeWidth: 2, strokeDasharray: "6 4" }),
      plot.ruleY([0], { stroke: "var(--aisle-control-line)" }),
    ],
    [rows, told.alarm_share],
  );
  const column = (key: "diversity" | "novelty" | "entropy", write: (value: number) => string) => ({
    key,
    title: words[key],
    value: (one: Week) => one[key],
    cell: (one: Week) => (one[key] === null ? "–" : write(one[key])),
    numeric: true,
  });
  return (
    <Chart
      title={words.bubbles}
      answer={words.bubblesAnswer(count(last.narrow), count(last.members), utcDay(day(last)))}
      rows={told.weeks}
      columns={[
        { key: "week", title: words.week, value: (one) => one.week, cell: (one) => utcDay(day(one)) },
        {
          key: "members",
          title: words.members,
          value: (one) => one.members,
          cell: (one) => count(one.members),
          numeric: true,
        },
        {
          key: "narrow",
          title: words.narrow,
          value: (one) => one.narrow,
          cell: (one) => count(one.narrow),
          numeric: true,
        },
        {
          key: "share",
          title: words.narrowShare,
          value: (one) => one.share,
          cell: (one) => share(one.share),
          numeric: true,
        },
        column("diversity", share),
        column("novelty", share),
        column("entropy", (value) => words.bits(number(value, 2))),
      ]}
      marks={marks}
      options={OPTIONS}
      csv="variety-by-week"
    />
  );
}

export function Variety(): ReactNode {
  const words = useWords(TRUST_WORDS);
  const query = useQuery({ queryKey: ["variety"], queryFn: () => read("/v1/trust/variety") });
  return (
    <Loaded query={query} lines={6}>
      {(told) => {
        const last = told.weeks.at(-1);
        if (!last) return <Empty title={words.noWeeks}>{words.noWeeksWhat}</Empty>;
        return (
          <div className="stack">
            <p className="muted">{words.bubblesAbout}</p>
            <Alarm told={told} />
            <Newest told={told} week={last} />
            <Card title={words.variety} wide>
              <Weeks told={told} last={last} />
            </Card>
          </div>
        );
      }}
    </Loaded>
  );
}

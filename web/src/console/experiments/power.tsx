/** How many people an experiment takes, from the shop's own traffic. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type ReactNode, useCallback, useEffect } from "react";
import { send } from "../client.ts";
import { Card, Chart, Figure, Range, Skeleton } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { English, Says } from "../told/told.tsx";
import type { Plan } from "./plan.tsx";
import { EXPERIMENT_WORDS } from "./words.ts";

const AXES = { x: { label: null }, y: { label: null, ticks: 4, grid: true } } as const;

function Reached({ reached }: { readonly reached: readonly number[] }): ReactNode {
  const words = useWords(EXPERIMENT_WORDS);
  const { count } = useFormats();
  const rows = reached.map((members, place) => ({ day: place + 1, members }));
  const marks = useCallback(
    (plot: typeof import("@observablehq/plot")) => {
      const points = reached.map((members, place) => ({ day: place + 1, members }));
      return [
        plot.lineY(points, { x: "day", y: "members", stroke: "var(--chart-1)", strokeWidth: 2 }),
        plot.ruleY([0], { stroke: "var(--aisle-control-line)" }),
      ];
    },
    [reached],
  );
  return (
    <Chart
      title={words.reachTitle}
      answer={words.reachAnswer(count(reached.at(-1) ?? 0))}
      rows={rows}
      columns={[
        { key: "day", title: words.day, value: (row) => row.day, numeric: true },
        { key: "members", title: words.members, value: (row) => row.members, numeric: true },
      ]}
      marks={marks}
      options={AXES}
      height={160}
      csv="traffic"
    />
  );
}

/** `sized` hears how many people it takes, 0 while nobody knows. */
export function Power({
  plan,
  smallest,
  onSmallest,
  sized,
}: {
  readonly plan: Plan;
  readonly smallest: number;
  readonly onSmallest: (share: number) => void;
  readonly sized: (units: number) => void;
}): ReactNode {
  const words = useWords(EXPERIMENT_WORDS);
  const { count, share } = useFormats();
  const body = {
    metric: plan.metric,
    window_days: plan.window,
    relative: smallest,
    design: plan.design,
    control_share: 0.5,
    traffic: plan.traffic,
    alpha: 0.05,
    power: 0.8,
  };
  const query = useQuery({
    queryKey: ["power", body],
    queryFn: () => send("post", "/v1/experiments/power", { body }),
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: 60_000,
  });
  const { data, error } = query;
  // While another size is worked out, the one before is shown but is none of this plan.
  const units = query.isPlaceholderData || error ? 0 : (data?.units ?? 0);
  useEffect(() => sized(units), [units, sized]);
  return (
    <Card title={words.power}>
      <Range
        label={words.smallest}
        value={smallest}
        onChange={onSmallest}
        least={0.01}
        most={0.5}
        step={0.01}
        written={share(smallest, 0)}
      />
      {error && (
        <p role="status">
          <English>{error.message}</English>
        </p>
      )}
      {!data && !error && <Skeleton />}
      {data && !error && (
        <>
          <div className="figures">
            <Figure name={words.people} value={count(data.units)} />
            <Figure name={words.days} value={data.days === null ? words.never : words.daysValue(count(data.days))} />
            <Figure name={words.saved} value={share(data.saved, 0)} />
          </div>
          <p>
            <Says told={data.told} english={data.sentence} />
          </p>
          <Reached reached={data.reached} />
        </>
      )}
    </Card>
  );
}

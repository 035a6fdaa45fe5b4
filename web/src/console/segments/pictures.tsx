/** The map of the trained segments, and how their sizes change. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { type Answer, read } from "../client.ts";
import { Card, Chart, Empty, Loaded, Period, usePeriod } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import type { Segments } from "./rule.ts";
import { SEGMENT_WORDS } from "./words.ts";

type Plot = typeof import("@observablehq/plot");
type Points = Answer<"/v1/segments/map", "get">;
type Counted = Answer<"/v1/segments/sizes", "get">;
type Every = { readonly segments: Segments["segments"] };

const COLOURS = 5;
const MAP = { x: { axis: null }, y: { axis: null }, margin: 8 };
const SIZES = {
  marginLeft: 56,
  x: { type: "utc" as const, label: null, ticks: 5 },
  y: { label: null, ticks: 4, grid: true },
};
const colourOf = (place: number): string => `var(--chart-${(Math.max(place, 0) % COLOURS) + 1})`;

/** The middle of each trained segment, with its number. */
function middlesOf(points: Points["points"], ids: readonly string[]) {
  return ids.flatMap((id, place) => {
    const mine = points.filter((one) => one.segment_id === id);
    if (mine.length === 0) return [];
    const mean = (axis: "x" | "y"): number => mine.reduce((sum, one) => sum + one[axis], 0) / mine.length;
    return [{ x: mean("x"), y: mean("y"), number: String(place + 1) }];
  });
}

function Dots({ told, segments }: Every & { readonly told: Points }): ReactNode {
  const words = useWords(SEGMENT_WORDS);
  const { count, number } = useFormats();
  const trained = useMemo(() => segments.filter(({ kind }) => kind === "trained"), [segments]);
  const ids = useMemo(() => trained.map(({ segment_id: id }) => id), [trained]);
  const marks = useMemo(() => {
    const middles = middlesOf(told.points, ids);
    const text = { fontSize: 22, fontWeight: 700, fill: "var(--aisle-text)", stroke: "var(--aisle-surface)" };
    return (plot: Plot) => [
      plot.dot(told.points, {
        x: "x",
        y: "y",
        r: 2.5,
        fill: (one: { segment_id: string }) => colourOf(ids.indexOf(one.segment_id)),
        fillOpacity: 0.6,
      }),
      plot.text(middles, { x: "x", y: "y", text: "number", strokeWidth: 6, ...text }),
    ];
  }, [told, ids]);
  return (
    <>
      <Chart
        title={words.mapQ}
        answer={words.mapAnswer(count(told.sampled), count(told.members))}
        rows={told.points}
        columns={[
          {
            key: "segment",
            title: words.segment,
            value: (row) => trained[ids.indexOf(row.segment_id)]?.name ?? row.segment_id,
          },
          { key: "x", title: words.x, value: (row) => row.x, cell: (row) => number(row.x, 2), numeric: true },
          { key: "y", title: words.y, value: (row) => row.y, cell: (row) => number(row.y, 2), numeric: true },
        ]}
        marks={marks}
        options={MAP}
        height={420}
        csv="map"
      />
      <ol className="segment-legend">
        {trained.map(({ segment_id: id, name }) => (
          <li key={id}>{name}</li>
        ))}
      </ol>
    </>
  );
}

export function SegmentMap({ segments }: Every): ReactNode {
  const words = useWords(SEGMENT_WORDS);
  const query = useQuery({ queryKey: ["segment-map"], queryFn: () => read("/v1/segments/map"), staleTime: 300_000 });
  return (
    <Card title={words.map} wide>
      <Loaded query={query} lines={10}>
        {(told) =>
          told.points.length === 0 ? (
            <Empty title={words.mapNone}>{words.mapNoneWhat}</Empty>
          ) : (
            <Dots told={told} segments={segments} />
          )
        }
      </Loaded>
    </Card>
  );
}

interface Day {
  readonly date: string;
  readonly at: Date;
  readonly sizes: Readonly<Record<string, number | null>>;
}

function Lines({ told, segments }: Every & { readonly told: Counted }): ReactNode {
  const words = useWords(SEGMENT_WORDS);
  const { utcDay, count } = useFormats();
  const shown = useMemo(() => segments.filter(({ segment_id: id }) => told.sizes[id]), [segments, told]);
  const rows = useMemo<readonly Day[]>(
    () =>
      told.days.map((date, place) => ({
        date,
        at: new Date(`${date}T00:00:00Z`),
        sizes: Object.fromEntries(shown.map(({ segment_id: id }) => [id, told.sizes[id]?.[place] ?? null])),
      })),
    [told, shown],
  );
  const marks = useMemo(
    () => (plot: Plot) => [
      plot.ruleY([0], { stroke: "var(--aisle-control-line)" }),
      ...shown.flatMap(({ segment_id: id }, place) => {
        const there = rows.filter((row) => row.sizes[id] !== null);
        const at = { x: (row: Day) => row.at, y: (row: Day) => row.sizes[id] ?? 0 };
        return [
          plot.lineY(there, { ...at, stroke: colourOf(place), strokeWidth: 2 }),
          ...(there.length < 3 ? [plot.dot(there, { ...at, fill: colourOf(place), r: 3 })] : []),
        ];
      }),
    ],
    [rows, shown],
  );
  if (shown.length === 0) return <Empty title={words.sizesNone}>{words.sizesNoneWhat}</Empty>;
  return (
    <>
      <Chart
        title={words.sizesQ}
        answer={words.sizesAnswer}
        rows={rows}
        columns={[
          { key: "day", title: words.day, value: (row) => row.date, cell: (row) => utcDay(row.at) },
          ...shown.map(({ segment_id: id, name }) => ({
            key: id,
            title: name,
            numeric: true,
            value: (row: Day) => row.sizes[id] ?? null,
            cell: (row: Day) => (typeof row.sizes[id] === "number" ? count(row.sizes[id]) : words.none),
          })),
        ]}
        marks={marks}
        options={SIZES}
        height={280}
        csv="segment-sizes"
      />
      <ul className="segment-legend">
        {shown.map(({ segment_id: id, name }) => (
          <li key={id}>{name}</li>
        ))}
      </ul>
    </>
  );
}

export function Sizes({ segments }: Every): ReactNode {
  const words = useWords(SEGMENT_WORDS);
  const [days, setDays] = usePeriod(90);
  const query = useQuery({
    queryKey: ["segment-sizes", days],
    queryFn: () => read("/v1/segments/sizes", { params: { query: days } }),
    placeholderData: keepPreviousData,
  });
  return (
    <Card title={words.sizes} wide actions={<Period value={days} onChange={setDays} />}>
      <Loaded query={query} lines={8}>
        {(told) => <Lines told={told} segments={segments} />}
      </Loaded>
    </Card>
  );
}

/** Two segments side by side. */
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { useSearchParams } from "react-router";
import { type Answer, read } from "../client.ts";
import { Card, Chart, Choice, type Column, DataTable, Empty, Loaded } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { useSegmentNames } from "../told/names.ts";
import { useFeatures } from "../told/rules.ts";
import type { Segments } from "./rule.ts";
import { SEGMENT_WORDS } from "./words.ts";

type Compared = Answer<"/v1/segments/compare", "get">;
type Line = Compared["features"][number];
type Plot = typeof import("@observablehq/plot");

const DRAWN = 10;
const BAR_PX = 26;
const AXES = { marginLeft: 200, x: { label: null, ticks: 3, grid: true }, y: { label: null } };

/** Writes a feature's value as its unit asks for. */
function useUnit(): (unit: string, value: number) => string {
  const { number, share, money } = useFormats();
  return (unit, value) => {
    if (unit === "money") return money(value);
    return unit === "share" ? share(value) : number(value, 2);
  };
}

function useColumns(told: Compared): readonly Column<Line>[] {
  const words = useWords(SEGMENT_WORDS);
  const { number, currency } = useFormats();
  const called = useFeatures();
  const named = useSegmentNames();
  const write = useUnit();
  const written = (row: Line): string => `${write(row.unit, row.low)} … ${write(row.unit, row.high)}`;
  const column = (key: string, title: string, value: (row: Line) => number): Column<Line> => ({
    key,
    title,
    value,
    cell: (row) => write(row.unit, value(row)),
    money: (row) => (row.unit === "money" ? currency : undefined),
    numeric: true,
  });
  return [
    { key: "title", title: words.feature, value: (row) => called(row) },
    column("a", named(told.a.name), (row) => row.a.value),
    column("b", named(told.b.name), (row) => row.b.value),
    column("difference", words.difference, (row) => row.difference),
    {
      key: "interval",
      title: words.interval,
      value: (row) => row.low,
      cell: written,
      saved: written,
      numeric: true,
    },
    {
      key: "effect",
      title: words.effect,
      value: (row) => row.effect,
      cell: (row) => number(row.effect, 2),
      numeric: true,
    },
  ];
}

function Features({ told }: { readonly told: Compared }): ReactNode {
  const words = useWords(SEGMENT_WORDS);
  const columns = useColumns(told);
  const called = useFeatures();
  const drawn = useMemo(
    () => told.features.slice(0, DRAWN).map((one) => ({ title: called(one), effect: one.effect })),
    [told, called],
  );
  const marks = useMemo(
    () => (plot: Plot) => [
      plot.barX(drawn, {
        x: "effect",
        y: "title",
        fill: (one: { effect: number }) => (one.effect > 0 ? "var(--chart-1)" : "var(--chart-3)"),
        sort: { y: null },
      }),
      plot.ruleX([0], { stroke: "var(--aisle-control-line)" }),
    ],
    [drawn],
  );
  return (
    <section className="card wide" aria-label={words.features}>
      <Chart
        title={words.features}
        answer={words.featuresAnswer(told.features[0] ? called(told.features[0]) : words.none)}
        rows={told.features}
        columns={columns}
        marks={marks}
        options={AXES}
        height={drawn.length * BAR_PX + BAR_PX * 2}
        csv="segments-compared"
      />
    </section>
  );
}

function Labels({ told }: { readonly told: Compared }): ReactNode {
  const words = useWords(SEGMENT_WORDS);
  const named = useSegmentNames();
  const { share } = useFormats();
  const written = ({ value, low, high }: Compared["labels"][number]["a"]): string =>
    `${share(value)} (${share(low)} … ${share(high)})`;
  return (
    <Card title={words.labels} wide>
      <DataTable
        caption={words.labels}
        hideCaption
        rows={told.labels}
        rowKey={(row) => `${row.name} ${row.value}`}
        csv="labels-compared"
        columns={[
          { key: "name", title: words.label, value: (row) => row.name.replaceAll("_", " ") },
          { key: "value", title: words.says, value: (row) => (row.value === "True" ? words.yes : row.value) },
          {
            key: "a",
            title: named(told.a.name),
            value: (row) => row.a.value,
            cell: (row) => written(row.a),
            numeric: true,
          },
          {
            key: "b",
            title: named(told.b.name),
            value: (row) => row.b.value,
            cell: (row) => written(row.b),
            numeric: true,
          },
        ]}
      />
    </Card>
  );
}

export function Compare({ segments }: { readonly segments: Segments["segments"] }): ReactNode {
  const words = useWords(SEGMENT_WORDS);
  const { count } = useFormats();
  const [search, setSearch] = useSearchParams();
  const options = segments.map(({ segment_id: id, name }) => ({ id, name }));
  const [a, b] = [search.get("a") ?? options[0]?.id ?? null, search.get("b") ?? options[1]?.id ?? null];
  const choose =
    (name: "a" | "b") =>
    (value: string): void =>
      setSearch(
        (was) => {
          was.set(name, value);
          return was;
        },
        { replace: true },
      );
  const two = Boolean(a && b && a !== b);
  const query = useQuery({
    queryKey: ["segments-compared", a, b],
    enabled: two,
    queryFn: () => read("/v1/segments/compare", { params: { query: { a: a ?? "", b: b ?? "" } } }),
  });
  return (
    <div className="stack">
      <div className="two">
        <Choice label={words.a} value={a} onChange={choose("a")} options={options} />
        <Choice label={words.b} value={b} onChange={choose("b")} options={options} />
      </div>
      {two ? (
        <Loaded query={query} lines={8}>
          {(told) => (
            <>
              <p>{words.both(count(told.both))}</p>
              <Features told={told} />
              <Labels told={told} />
            </>
          )}
        </Loaded>
      ) : (
        <Empty title={words.chooseTwo}>{words.chooseTwoWhat}</Empty>
      )}
    </div>
  );
}

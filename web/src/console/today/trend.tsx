/** Figures day by day, a line for each channel. */
import { type ReactNode, useCallback, useMemo } from "react";
import type { Answer } from "../client.ts";
import { Chart, type Column, Empty } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { TODAY_WORDS } from "./words.ts";

export type Overview = Answer<"/v1/overview", "get">;
export type FigureOf = Overview["figures"][number];
/** What a line chart needs of a figure. */
type Drawn = Pick<FigureOf, "name" | "unit" | "series">;
/** What lines that are no channels are called, and their colours. */
export type Lines = Readonly<Record<string, readonly [name: string, colour: number]>>;
type Plot = typeof import("@observablehq/plot");

interface Day {
  readonly day: string;
  readonly at: Date;
  readonly values: Readonly<Record<string, number | null>>;
}

/** A channel has its colour on every chart. */
const COLOURS: Readonly<Record<string, number>> = { widget: 1, kiosk: 2, api: 3, store: 4 };
const OTHER = 5;
const colourOf = (key: string): number => COLOURS[key] ?? OTHER;
const THOUSANDS = 1000;

/** Writes a figure as its unit asks for. */
export function useWrite(): (figure: Pick<FigureOf, "unit">, value: number | null) => string {
  const words = useWords(TODAY_WORDS);
  const { count, money, share, number } = useFormats();
  return ({ unit }, value) => {
    if (value === null) return words.none;
    if (unit === "money") return money(value);
    if (unit === "share") return share(value);
    if (unit === "score" || unit === "stars") return number(value, 2);
    return Math.abs(value) < 10 && !Number.isInteger(value) ? number(value) : count(value);
  };
}

/** The days of a figure, one row each. */
export function daysOf(days: readonly string[], figure: Drawn): readonly Day[] {
  return days.map((day, place) => ({
    day,
    at: new Date(`${day}T00:00:00Z`),
    values: Object.fromEntries(figure.series.map(({ key, values }) => [key, values[place] ?? null])),
  }));
}

/** Where nothing happened the line is at the bottom, not in the middle of nowhere. */
const FLAT = { domain: [0, 1], ticks: [0] };

function marksOf(keys: readonly string[], rows: readonly Day[], colours: (key: string) => number, plot: Plot) {
  return [
    plot.ruleY([0], { stroke: "var(--aisle-control-line)" }),
    ...keys.flatMap((key) => {
      const colour = `var(--chart-${colours(key)})`;
      const drawn = rows.filter((row) => typeof row.values[key] === "number");
      const at = { x: (row: Day) => row.at, y: (row: Day) => row.values[key] ?? Number.NaN };
      return [
        plot.lineY(rows, {
          ...at,
          stroke: colour,
          strokeWidth: 2,
          defined: (y: unknown) => Number.isFinite(y),
        } as object),
        // A day that stands alone is no line.
        ...(drawn.length < 3 ? [plot.dot(drawn, { ...at, fill: colour, r: 3 })] : []),
      ];
    }),
  ];
}

interface TrendProps {
  readonly title: string;
  readonly answer: string;
  readonly days: readonly string[];
  readonly figure: Drawn;
  readonly none?: string;
  readonly lines?: Lines;
}

export function Trend({ title, answer, days, figure, none, lines }: TrendProps): ReactNode {
  const words = useWords(TODAY_WORDS);
  const { utcDay, number, money, currency } = useFormats();
  const write = useWrite();
  const named = (key: string): string => lines?.[key]?.[0] ?? words.channels[key] ?? key;
  const colours = useCallback((key: string): number => lines?.[key]?.[1] ?? colourOf(key), [lines]);
  const rows = useMemo(() => daysOf(days, figure), [days, figure]);
  const keys = useMemo(() => figure.series.map(({ key }) => key), [figure]);
  const marks = useMemo(() => (plot: Plot) => marksOf(keys, rows, colours, plot), [keys, rows, colours]);
  const options = useMemo(() => {
    const short = (value: number): string => (value >= THOUSANDS ? `${number(value / THOUSANDS)}k` : number(value, 2));
    const tickFormat = (value: number): string => {
      if (figure.unit === "share") return `${number(value * 100)}%`;
      return figure.unit === "money" ? money(value).replace(/[.,]00$/u, "") : short(value);
    };
    const flat = figure.unit !== "score" && figure.series.every(({ values }) => values.every((value) => !value));
    return {
      marginLeft: 56,
      x: { type: "utc" as const, label: null, ticks: 5 },
      y: { label: null, ticks: 4, grid: true, zero: figure.unit !== "score", tickFormat, ...(flat ? FLAT : {}) },
    };
  }, [figure, number, money]);
  const columns: readonly Column<Day>[] = [
    { key: "day", title: words.day, value: (row) => row.day, cell: (row) => utcDay(row.at) },
    ...keys.map((key) => ({
      key: `of-${key}`,
      title: named(key),
      numeric: true,
      value: (row: Day) => row.values[key] ?? null,
      cell: (row: Day) => write(figure, row.values[key] ?? null),
      ...(figure.unit === "money" ? { money: currency } : {}),
    })),
  ];
  if (keys.length === 0) return <Empty title={title}>{none ?? words.noneIn}</Empty>;
  return (
    <div className="trend">
      <Chart
        title={title}
        answer={answer}
        rows={rows}
        columns={columns}
        marks={marks}
        options={options}
        csv={figure.name}
      />
      {keys.length > 1 && (
        <ul className="legend">
          {keys.map((key) => (
            <li key={key} className={`series-${colours(key)}`}>
              {named(key)}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

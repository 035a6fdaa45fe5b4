/** How worth and risk of members changed, from what the worker wrote down each day. */
import { type ReactNode, useMemo } from "react";
import { useFormats, useWords } from "../language.tsx";
import { type Lines, type Overview, Trend } from "./trend.tsx";
import { TODAY_WORDS } from "./words.ts";

type Told = { readonly told: Overview };

export function ValueOverTime({ told }: Told): ReactNode {
  const words = useWords(TODAY_WORDS);
  const { money } = useFormats();
  const { daily } = told.value;
  const figure = useMemo(
    () => ({ name: "expected-spend-by-day", unit: "money", series: [{ key: "mean", values: daily }] }),
    [daily],
  );
  const lines: Lines = useMemo(() => ({ mean: [words.figures.lifetime_value ?? "", 1] }), [words]);
  const known = daily.filter((value) => value !== null);
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined) return null;
  return (
    <section className="card" aria-label={words.valueOverTime}>
      <Trend
        title={words.valueOverTime}
        answer={words.fromTo(money(first), money(last))}
        days={told.days}
        figure={figure}
        lines={lines}
      />
    </section>
  );
}

export function ChurnOverTime({ told }: Told): ReactNode {
  const words = useWords(TODAY_WORDS);
  const { count } = useFormats();
  const { series } = told.churn;
  const figure = useMemo(() => ({ name: "risk-by-day", unit: "members", series }), [series]);
  const lines: Lines = useMemo(
    () => ({ high: [words.high, 5], medium: [words.medium, 3], low: [words.low, 1] }),
    [words],
  );
  const known = series.find(({ key }) => key === "high")?.values.filter((value) => value !== null) ?? [];
  if (series.length === 0) return null;
  return (
    <section className="card" aria-label={words.churnOverTime}>
      <Trend
        title={words.churnOverTime}
        answer={words.fromToHigh(count(known[0] ?? 0), count(known.at(-1) ?? 0))}
        days={told.days}
        figure={figure}
        lines={lines}
      />
    </section>
  );
}

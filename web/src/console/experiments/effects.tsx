/** What differs between an arm and its control: the table that experiments and campaigns show. */
import type { ReactNode } from "react";
import type { Answer } from "../client.ts";
import { DataTable } from "../kit/index.ts";
import { useFormats } from "../language.tsx";

type Results = Answer<"/v1/experiments/{experiment_id}/results", "get">;
export type Effect = Results["results"][number]["effects"][number];

export const isMoney = (metric: string): boolean => metric === "spend" || metric === "discount";

/** Writes a metric's value: shares, money, or a number. */
export function useMetric(currency?: string): (metric: string, value: number) => string {
  const { share, money, number } = useFormats();
  return (metric, value) => {
    if (metric === "conversion" || metric === "retention") return share(value, 2);
    return isMoney(metric) ? money(value, currency) : number(value, 3);
  };
}

interface EffectsProps {
  readonly caption: string;
  readonly hideCaption?: boolean;
  readonly effects: readonly Effect[];
  readonly csv: string;
  readonly currency?: string;
  /** Whether the interval is that of the fixed horizon; else the one that holds at every look, where there is one. */
  readonly fixed?: boolean;
  readonly titles: Readonly<Record<"metric" | "first" | "second" | "difference" | "interval", string>>;
  readonly named: (metric: string) => string;
  readonly between: (low: string, high: string) => string;
  /** What stands behind a metric's name. */
  readonly mark?: (metric: string) => ReactNode;
  /** Whether the arm's column stands before the control's. */
  readonly armFirst?: boolean;
}

export function Effects(props: EffectsProps): ReactNode {
  const {
    caption,
    hideCaption = false,
    effects,
    csv,
    currency,
    fixed = false,
    titles,
    named,
    between,
    mark,
    armFirst,
  } = props;
  const { currency: shops } = useFormats();
  const write = useMetric(currency);
  const cash = (one: Effect): string | undefined => (isMoney(one.metric) ? (currency ?? shops) : undefined);
  const range = (one: Effect): string => {
    const [low, high] = fixed ? one.ci : (one.always ?? one.ci);
    return between(write(one.metric, Number(low)), write(one.metric, Number(high)));
  };
  const side = (key: "first" | "second", value: (one: Effect) => number) => ({
    key,
    title: titles[key],
    value,
    cell: (one: Effect) => write(one.metric, value(one)),
    money: cash,
    numeric: true,
  });
  const [first, second] = armFirst ? (["treatment", "control"] as const) : (["control", "treatment"] as const);
  return (
    <DataTable
      caption={caption}
      hideCaption={hideCaption}
      rows={effects}
      rowKey={(one) => one.metric}
      csv={csv}
      columns={[
        {
          key: "metric",
          title: titles.metric,
          value: (one) => named(one.metric),
          cell: (one) => (
            <>
              {named(one.metric)} {mark?.(one.metric)}
            </>
          ),
        },
        side("first", (one) => one[first]),
        side("second", (one) => one[second]),
        {
          key: "difference",
          title: titles.difference,
          value: (one) => one.difference,
          cell: (one) => write(one.metric, one.difference),
          money: cash,
          numeric: true,
        },
        { key: "interval", title: titles.interval, cell: range, numeric: true },
      ]}
    />
  );
}

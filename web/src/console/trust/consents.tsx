/** Consents in numbers: who agrees to what, by which text and channel, and what was said day by day. */
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useCallback, useMemo } from "react";
import { type Answer, read } from "../client.ts";
import { Card, Chart, DataTable, Empty, Figure, Loaded, Period, usePeriod } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { TRUST_WORDS } from "./words.ts";

const DAY_MS = 86_400_000;
interface Days {
  readonly from: string;
  readonly to: string;
}
type Told = Answer<"/v1/trust/consents", "get">;

function Standing({ told }: { readonly told: Told }): ReactNode {
  const words = useWords(TRUST_WORDS);
  const { count, share } = useFormats();
  const purposes = [...new Set(told.standing.map((one) => one.purpose))];
  return (
    <div className="figures">
      {purposes.map((purpose) => {
        const mine = told.standing.filter((one) => one.purpose === purpose);
        const granted = mine.reduce((sum, one) => sum + one.granted, 0);
        return (
          <Figure
            key={purpose}
            name={words.purposes[purpose] ?? purpose}
            value={count(granted)}
            note={told.members > 0 ? words.ofMembers(share(granted / told.members), count(told.members)) : undefined}
          />
        );
      })}
    </div>
  );
}

function Said({ told, days }: { readonly told: Told; readonly days: Days }): ReactNode {
  const words = useWords(TRUST_WORDS);
  const { count, utcDay } = useFormats();
  const sum = (what: "granted" | "withdrawn"): number => told.days.reduce((all, one) => all + one[what], 0);
  const daily = useMemo(() => {
    const sums = new Map<string, { granted: number; withdrawn: number }>();
    for (const one of told.days) {
      const was = sums.get(one.day) ?? { granted: 0, withdrawn: 0 };
      sums.set(one.day, { granted: was.granted + one.granted, withdrawn: was.withdrawn + one.withdrawn });
    }
    return [...sums].map(([on, said]) => ({ at: new Date(on), up: said.granted, down: -said.withdrawn }));
  }, [told.days]);
  const marks = useCallback(
    (plot: typeof import("@observablehq/plot")) => [
      plot.rectY(daily, { x: "at", y: "up", interval: "day", fill: "var(--chart-1)" }),
      plot.rectY(daily, { x: "at", y: "down", interval: "day", fill: "var(--chart-2)" }),
      plot.ruleY([0], { stroke: "var(--aisle-control-line)" }),
    ],
    [daily],
  );
  const options = useMemo(
    () => ({
      x: { label: null, type: "utc" as const, domain: [new Date(days.from), new Date(Date.parse(days.to) + DAY_MS)] },
      y: { label: null, grid: true, ticks: 4 },
    }),
    [days.from, days.to],
  );
  return (
    <Chart
      title={words.said}
      answer={words.saidAnswer(count(sum("granted")), count(sum("withdrawn")))}
      rows={told.days}
      columns={[
        { key: "day", title: words.day, value: (one) => one.day, cell: (one) => utcDay(one.day) },
        { key: "purpose", title: words.purpose, value: (one) => words.purposes[one.purpose] ?? one.purpose },
        {
          key: "granted",
          title: words.granted,
          value: (one) => one.granted,
          cell: (one) => count(one.granted),
          numeric: true,
        },
        {
          key: "withdrawn",
          title: words.withdrawn,
          value: (one) => one.withdrawn,
          cell: (one) => count(one.withdrawn),
          numeric: true,
        },
      ]}
      marks={marks}
      options={options}
      csv="consents-by-day"
    />
  );
}

export function Consents(): ReactNode {
  const words = useWords(TRUST_WORDS);
  const { count } = useFormats();
  const [days, setDays] = usePeriod();
  const query = useQuery({
    queryKey: ["consents", days],
    queryFn: () => read("/v1/trust/consents", { params: { query: { ...days } } }),
  });
  return (
    <div className="stack">
      <Period value={days} onChange={setDays} />
      <Loaded query={query} lines={8}>
        {(told) =>
          told.standing.length === 0 ? (
            <Empty title={words.noConsents} />
          ) : (
            <>
              <Standing told={told} />
              <div className="grid">
                <Card title={words.consents} wide>
                  <Said told={told} days={days} />
                </Card>
                <Card title={words.byText} wide>
                  <DataTable
                    caption={words.byText}
                    hideCaption
                    csv="consents"
                    rows={told.standing}
                    rowKey={(one) => `${one.purpose} ${one.text_version} ${one.channel}`}
                    columns={[
                      {
                        key: "purpose",
                        title: words.purpose,
                        value: (one) => words.purposes[one.purpose] ?? one.purpose,
                      },
                      { key: "text", title: words.text, value: (one) => one.text_version },
                      { key: "channel", title: words.channel, value: (one) => one.channel },
                      {
                        key: "granted",
                        title: words.granted,
                        value: (one) => one.granted,
                        cell: (one) => count(one.granted),
                        numeric: true,
                      },
                      {
                        key: "withdrawn",
                        title: words.withdrawn,
                        value: (one) => one.withdrawn,
                        cell: (one) => count(one.withdrawn),
                        numeric: true,
                      },
                      {
                        key: "expired",
                        title: words.expired,
                        value: (one) => one.expired,
                        cell: (one) => count(one.expired),
                        numeric: true,
                      },
                    ]}
                  />
                </Card>
              </div>
            </>
          )
        }
      </Loaded>
    </div>
  );
}

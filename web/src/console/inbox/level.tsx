/** How well shoppers who ask for a person are served. */
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useCallback } from "react";
import { type Answer, read } from "../client.ts";
import { Card, Chart, DataTable, Empty, Figure, Loaded, Period, usePeriod } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { INBOX_WORDS } from "./words.ts";

type Told = Answer<"/v1/agents/service-level", "get">;
const MINUTE_S = 60;

/** Seconds below two minutes, minutes above; a dash for what is not known. */
function useWait(): (seconds: number | null) => string {
  const words = useWords(INBOX_WORDS);
  const { number, count } = useFormats();
  return (seconds) => {
    if (seconds === null) return "–";
    return seconds < 2 * MINUTE_S ? words.seconds(count(seconds)) : words.minutes(number(seconds / MINUTE_S));
  };
}

function When({ hours }: { readonly hours: readonly number[] }): ReactNode {
  const words = useWords(INBOX_WORDS);
  const { count } = useFormats();
  const rows = hours.map((requests, hour) => ({ hour, requests }));
  const most = rows.reduce((a, b) => (b.requests > a.requests ? b : a));
  const marks = useCallback(
    (plot: typeof import("@observablehq/plot")) => [
      plot.barY(hours, { x: (_, hour) => hour, y: (value) => value, fill: "var(--chart-1)" }),
      plot.ruleY([0], { stroke: "var(--aisle-control-line)" }),
    ],
    [hours],
  );
  return (
    <Chart
      title={words.when}
      answer={words.whenAnswer(`${most.hour}:00`, count(most.requests))}
      rows={rows}
      columns={[
        { key: "hour", title: words.hour, value: (row) => row.hour, numeric: true },
        { key: "requests", title: words.requests, value: (row) => row.requests, numeric: true },
      ]}
      marks={marks}
      options={HOURS}
      csv="requests-by-hour"
    />
  );
}
const HOURS = { x: { label: null, ticks: [0, 6, 12, 18, 23] }, y: { label: null, ticks: 4, grid: true } } as const;

function Figures({ level }: { readonly level: Told }): ReactNode {
  const words = useWords(INBOX_WORDS);
  const { count, share, number } = useFormats();
  const wait = useWait();
  return (
    <div className="figures">
      <Figure name={words.asked} value={count(level.queued)} />
      <Figure name={words.served} value={count(level.served)} />
      <Figure
        name={words.withinTarget(wait(level.target_s))}
        value={level.within_target === null ? "–" : share(level.within_target, 0)}
      />
      <Figure name={words.medianWait} value={wait(level.median_wait_s)} />
      <Figure name={words.p90Wait} value={wait(level.p90_wait_s)} />
      <Figure name={words.longest} value={wait(level.longest_wait_s)} />
      <Figure
        name={words.satisfaction}
        value={level.csat === null ? "–" : number(level.csat)}
        note={words.ratings(level.rated)}
      />
    </div>
  );
}

export function Level(): ReactNode {
  const words = useWords(INBOX_WORDS);
  const { number } = useFormats();
  const wait = useWait();
  const [days, setDays] = usePeriod();
  const query = useQuery({
    queryKey: ["service-level", days],
    queryFn: () =>
      read("/v1/agents/service-level", {
        params: { query: { from: `${days.from}T00:00:00Z`, to: `${days.to}T23:59:59Z` } },
      }),
  });
  return (
    <div className="stack">
      <Period value={days} onChange={setDays} />
      <Loaded query={query}>
        {(level) =>
          level.queued === 0 ? (
            <Empty title={words.noLevel} />
          ) : (
            <>
              <Figures level={level} />
              <div className="grid">
                <Card title={words.byAgent}>
                  <DataTable
                    caption={words.byAgent}
                    hideCaption
                    csv="service-by-agent"
                    rows={level.agents}
                    rowKey={(row) => row.agent}
                    columns={[
                      { key: "agent", title: words.agent, value: (row) => row.agent },
                      { key: "served", title: words.served, value: (row) => row.served, numeric: true },
                      {
                        key: "wait",
                        title: words.medianWait,
                        value: (row) => row.median_wait_s,
                        cell: (row) => wait(row.median_wait_s),
                        numeric: true,
                      },
                      {
                        key: "csat",
                        title: words.satisfaction,
                        value: (row) => row.csat,
                        cell: (row) => (row.csat === null ? "–" : number(row.csat)),
                        numeric: true,
                      },
                    ]}
                  />
                </Card>
                <Card title={words.requests}>
                  <When hours={level.by_hour} />
                </Card>
              </div>
            </>
          )
        }
      </Loaded>
    </div>
  );
}

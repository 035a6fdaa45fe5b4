/** The loop at a glance: how busy it is now, what needs somebody, and every figure of the days that are chosen. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Link } from "react-router";
import { read } from "../client.ts";
import { Card, Empty, Figure, Loaded, Page, Period, Tag, useHash, usePeriod, useStream } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { ChurnOverTime, ValueOverTime } from "./over-time.tsx";
import { Alerts, Churn, Fallbacks, Models, Money, Value } from "./state.tsx";
import { type FigureOf, type Overview, Trend, useWrite } from "./trend.tsx";
import "./today.css";
import { TODAY_WORDS } from "./words.ts";

interface Now {
  readonly decisions_per_minute: number;
  readonly sessions: number;
  readonly waiting: number;
}

const LOOK_AGAIN_MS = 60_000;
const GOOD = { up: "more", down: "less", "": null } as const;

/** Follows how busy it is, and what needs somebody. */
function useNow(): readonly [boolean, Now | undefined, Overview["alerts"] | undefined] {
  const [now, setNow] = useState<Now>();
  const [alerts, setAlerts] = useState<Overview["alerts"]>();
  const live = useStream("/v1/overview/stream", ({ name, data }) => {
    if (name === "now") setNow(JSON.parse(data) as Now);
    else if (name === "alerts") setAlerts(JSON.parse(data) as Overview["alerts"]);
  });
  return [live, now, alerts];
}

function Busy({ now }: { readonly now: Now | undefined }): ReactNode {
  const words = useWords(TODAY_WORDS);
  const { count } = useFormats();
  const written = (value: number | undefined): string => (value === undefined ? words.none : count(value));
  return (
    <Card title={words.now} wide>
      <div className="figures">
        <Figure name={words.perMinute} value={written(now?.decisions_per_minute)} definition="decisions_per_minute" />
        <Figure
          name={words.sessionsNow}
          value={written(now?.sessions)}
          note={words.sessionsNowNote}
          definition="shoppers_now"
        />
        <Figure name={words.waiting} value={written(now?.waiting)} definition="waiting_now" />
      </div>
    </Card>
  );
}

function Figures({ told }: { readonly told: Overview }): ReactNode {
  const words = useWords(TODAY_WORDS);
  const write = useWrite();
  return (
    <section aria-label={words.definitions} className="card wide">
      <div className="figures">
        {told.figures.map((figure) => (
          <Figure
            key={figure.name}
            name={words.figures[figure.name] ?? figure.title}
            value={write(figure, figure.value)}
            {...(figure.change === null ? {} : { change: figure.change })}
            good={GOOD[figure.better]}
            definition={figure.name}
            {...(figure.name === "affect" && figure.value === null ? { note: words.withheld } : {})}
          />
        ))}
      </div>
    </section>
  );
}

function Trends({ told }: { readonly told: Overview }): ReactNode {
  const words = useWords(TODAY_WORDS);
  const write = useWrite();
  const figures = new Map(told.figures.map((figure) => [figure.name, figure]));
  const written = (name: string): string => {
    const figure = figures.get(name);
    return figure ? write(figure, figure.value) : words.none;
  };
  const most = Object.entries(figures.get("sessions")?.parts ?? {}).sort((a, b) => b[1] - a[1])[0];
  const [busiest, sessions] = most ? [words.channels[most[0]] ?? most[0], most[1]] : [words.none, 0];
  const shown: readonly (readonly [string, string, string, string?])[] = [
    ["sessions", words.visits, words.visitsAnswer(busiest, write({ unit: "visitors" }, sessions))],
    ["members", words.membersQ, words.membersAnswer(written("members"))],
    ["visitors", words.visitorsQ, words.visitorsAnswer(written("visitors"))],
    ["conversion_rate", words.buying, words.buyingAnswer(written("conversion_rate"))],
    ["revenue", words.revenueQ, words.revenueAnswer(written("revenue"))],
    ["decisions", words.decisionsQ, words.decisionsAnswer(written("decisions"))],
    ["coupon_spend", words.couponsQ, words.couponsAnswer(written("coupon_spend"), written("coupons_redeemed"))],
    ["acquired", words.acquiredQ, words.acquiredAnswer(written("acquired"), written("cost_per_acquired"))],
    ["affect", words.affectQ, words.affectAnswer(written("affect")), words.affectNone],
  ];
  return (
    <>
      {shown.map(([name, title, answer, none]) => {
        const figure = figures.get(name) as FigureOf;
        return (
          <section key={name} className="card" aria-label={title}>
            <Trend title={title} answer={answer} days={told.days} figure={figure} {...(none ? { none } : {})} />
          </section>
        );
      })}
    </>
  );
}

export default function TodayPage(): ReactNode {
  const words = useWords(TODAY_WORDS);
  const { utcDay } = useFormats();
  const [days, setDays] = usePeriod();
  const [live, now, heard] = useNow();
  const query = useQuery({
    queryKey: ["overview", days],
    queryFn: () => read("/v1/overview", { params: { query: days } }),
    refetchInterval: LOOK_AGAIN_MS,
    placeholderData: keepPreviousData,
  });
  useHash(query.data !== undefined);
  const counted = query.data?.figures.some(({ value }) => value !== null && value !== 0);
  return (
    <Page
      title={words.title}
      about={words.about}
      actions={
        <>
          <Tag tone={live ? "good" : "warn"}>{live ? words.live : words.notLive}</Tag>
          <Period value={days} onChange={setDays} />
        </>
      }
    >
      <div className="stack">
        <Busy now={now} />
        <Loaded query={query} lines={12}>
          {(told) => (
            <div className="grid today">
              <Alerts alerts={heard ?? told.alerts} />
              <p className="muted wide">
                {words.period(utcDay(told.since), utcDay(told.until), utcDay(told.before_since))}{" "}
                <Link to="/today/definitions">{words.definitions}</Link>
              </p>
              {counted ? (
                <>
                  <Figures told={told} />
                  <Trends told={told} />
                </>
              ) : (
                <section className="card wide" aria-label={words.nothing}>
                  <Empty title={words.nothing}>{words.nothingWhat}</Empty>
                </section>
              )}
              <Money told={told} />
              <Value told={told} />
              <ValueOverTime told={told} />
              <Churn told={told} />
              <ChurnOverTime told={told} />
              <Models told={told} />
              <Fallbacks told={told} />
            </div>
          )}
        </Loaded>
      </div>
    </Page>
  );
}

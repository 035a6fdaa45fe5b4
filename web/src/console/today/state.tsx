/** How things stand: money, what members will spend, who is about to lapse, models and fallbacks. */
import { type ReactNode, useMemo } from "react";
import { Link } from "react-router";
import {
  ButtonLink,
  Card,
  Change,
  Chart,
  DataTable,
  Empty,
  Figure,
  Meaning,
  Progress,
  Tag,
  type Tone,
} from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { SECTIONS } from "../sections.ts";
import { useSession } from "../session.tsx";
import { English, Says, useWording } from "../told/told.tsx";
import type { Overview } from "./trend.tsx";
import { TODAY_WORDS } from "./words.ts";

type Plot = typeof import("@observablehq/plot");
type Told = { readonly told: Overview };

/** Links of the api lead into the console; the router's own begin after its name. */
export const within = (link: string): string => link.replace(/^\/console/u, "") || "/";
/** Whether who is signed in may open it: nobody is led to a closed page. */
export function reaches(link: string, may: (scope: string) => boolean): boolean {
  const section = SECTIONS.find(({ id }) => within(link).split(/[/?#]/u)[1] === id);
  return section === undefined || may(section.scope);
}

const PACE: Readonly<Record<string, Tone>> = { ahead: "bad", behind: "warn", "on pace": "good", early: "plain" };
const VERDICT: Readonly<Record<string, Tone>> = {
  steady: "good",
  shifted: "warn",
  changed: "bad",
  broken: "bad",
  unknown: "plain",
};

export function Alerts({ alerts }: { readonly alerts: Overview["alerts"] }): ReactNode {
  const words = useWords(TODAY_WORDS);
  const wording = useWording();
  const { may } = useSession();
  return (
    <Card title={words.alerts} wide>
      {alerts.length === 0 ? (
        <Empty title={words.noAlerts}>{words.noAlertsWhat}</Empty>
      ) : (
        <ul className="alerts">
          {alerts.map((alert) => (
            <li key={`${alert.kind} ${alert.sentence}`}>
              <Tag tone={alert.severity === "serious" ? "bad" : "warn"}>
                {alert.severity === "serious" ? words.serious : words.warning}
              </Tag>
              <div>
                <p>
                  <strong>
                    <Says told={alert.told} english={alert.sentence} />
                  </strong>
                </p>
                <p className="muted">
                  <Says told={alert.cause_told} english={alert.cause} />
                </p>
              </div>
              {reaches(alert.link, may) && (
                <ButtonLink
                  to={within(alert.link)}
                  aria-label={`${words.look}: ${wording(alert.told) ?? alert.sentence}`}
                >
                  {words.look}
                </ButtonLink>
              )}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

export function Money({ told }: Told): ReactNode {
  const words = useWords(TODAY_WORDS);
  const { may } = useSession();
  const { share, utcDay, number } = useFormats();
  if (told.budgets.length === 0)
    return (
      <Card title={words.money} wide>
        <Empty
          title={words.noCampaigns}
          action={may("campaigns") && <ButtonLink to="/campaigns">{words.createCampaign}</ButtonLink>}
        >
          {words.noCampaignsWhat}
        </Empty>
      </Card>
    );
  return (
    <Card title={words.money} about={words.moneyAbout} wide>
      <ul className="budgets">
        {told.budgets.map((one) => (
          <li key={one.campaign_id}>
            <div className="row between">
              {reaches(one.link, may) ? <Link to={within(one.link)}>{one.name}</Link> : <strong>{one.name}</strong>}
              <span className="row">
                <Tag tone={PACE[one.pace] ?? "plain"}>{words.pace[one.pace]}</Tag>
                <Meaning name={`${words.figures.pace}, ${one.name}`} at="pace" />
              </span>
            </div>
            <Progress
              label={`${one.name}: ${words.spentOf(one.spent.text, one.total.text)}`}
              value={one.spent_share}
              written={words.spentOf(one.spent.text, one.total.text)}
              tone={PACE[one.pace] ?? "plain"}
            />
            <Progress
              label={`${one.name}: ${words.elapsed(share(one.elapsed_share, 0))}`}
              value={one.elapsed_share}
              written={words.elapsed(share(one.elapsed_share, 0))}
            />
            <p className="muted">
              {words.promised(share(one.promised_share, 0))}{" "}
              <Meaning name={`${words.figures.budget}, ${one.name}`} at="budget" /> · {words.ends(utcDay(one.ends_at))}
              {one.price !== null && (
                <>
                  {` · ${words.price(number(one.price, 4))} `}
                  <Meaning name={`${words.figures.price_of_money}, ${one.name}`} at="price_of_money" />
                </>
              )}
            </p>
          </li>
        ))}
      </ul>
    </Card>
  );
}

export function Value({ told: { value } }: Told): ReactNode {
  const words = useWords(TODAY_WORDS);
  const { money, count, utcDay } = useFormats();
  const bins = value.bins;
  const named = (bin: (typeof bins)[number]): string =>
    bin.most_minor === null
      ? words.more(money(bin.least_minor))
      : words.upTo(money(bin.least_minor), money(bin.most_minor));
  const rows = bins.map((bin, place) => ({ place, name: named(bin), members: bin.members }));
  const marks = useMemo(
    () => (plot: Plot) => [
      plot.barX(
        bins.map((bin, place) => ({ place, members: bin.members })),
        { x: "members", y: "place", fill: "var(--chart-1)" },
      ),
      plot.ruleX([0], { stroke: "var(--aisle-control-line)" }),
    ],
    [bins],
  );
  const options = useMemo(
    () => ({
      marginLeft: 116,
      x: { label: null, ticks: 4, grid: true },
      y: { label: null, type: "band" as const, tickFormat: (place: number) => rows[place]?.name ?? "" },
    }),
    [rows],
  );
  if (!value.mean)
    return (
      <Card title={words.value}>
        <Empty title={words.valueNone}>{words.valueNoneWhat}</Empty>
      </Card>
    );
  const change = value.before ? value.mean.minor_units / value.before.minor_units - 1 : null;
  return (
    <Card
      title={words.figures.lifetime_value ?? ""}
      about={
        <>
          {words.valueAbout} <Meaning name={words.figures.lifetime_value ?? ""} at="lifetime_value" />
        </>
      }
    >
      <Chart
        title={words.value}
        answer={words.valueAnswer(value.mean.text, count(value.members))}
        rows={rows}
        columns={[
          { key: "name", title: words.from, value: (row) => row.name },
          {
            key: "members",
            title: words.members,
            value: (row) => row.members,
            numeric: true,
            cell: (row) => count(row.members),
          },
        ]}
        marks={marks}
        options={options}
        height={260}
        csv="expected-spend"
      />
      <p className="muted">
        <Change change={change} good="more" /> {value.before && words.valueBefore(value.before.text)}{" "}
        {value.as_of && words.asOf(utcDay(value.as_of))}
      </p>
    </Card>
  );
}

export function Churn({ told: { churn } }: Told): ReactNode {
  const words = useWords(TODAY_WORDS);
  const { may } = useSession();
  const { count } = useFormats();
  if (!churn.as_of)
    return (
      <Card title={words.churnTitle}>
        <Empty title={words.churnNone}>{words.churnNoneWhat}</Empty>
      </Card>
    );
  const change = churn.high_before ? churn.high / churn.high_before - 1 : null;
  return (
    <Card
      title={words.churnTitle}
      about={words.churnAbout}
      actions={reaches(churn.link, may) && <ButtonLink to={within(churn.link)}>{words.churnLink}</ButtonLink>}
    >
      <div className="figures">
        <Figure name={words.high} value={count(churn.high)} change={change} good="less" definition="churn" />
        <Figure name={words.medium} value={count(churn.medium)} definition="churn" />
        <Figure name={words.low} value={count(churn.low)} definition="churn" />
      </div>
    </Card>
  );
}

export function Models({ told }: Told): ReactNode {
  const words = useWords(TODAY_WORDS);
  const { number } = useFormats();
  return (
    <Card
      title={words.models}
      about={
        <>
          {words.driftAbout} <Meaning name={words.figures.drift ?? ""} at="drift" />
        </>
      }
    >
      <DataTable
        caption={words.models}
        hideCaption
        rows={told.models}
        rowKey={(row) => row.name}
        csv="models"
        columns={[
          { key: "name", title: words.model, value: (row) => words.modelNames[row.name] ?? row.name },
          {
            key: "state",
            title: words.state,
            value: (row) => row.verdict,
            cell: (row) => (
              <>
                <Tag tone={VERDICT[row.verdict] ?? "plain"}>{words.verdicts[row.verdict]}</Tag>
                <small className="help">
                  <Says told={row.told} english={row.sentence} />
                </small>
              </>
            ),
          },
          {
            key: "drift",
            title: words.drift,
            numeric: true,
            value: (row) => row.drift,
            cell: (row) => (row.drift === null ? words.none : number(row.drift, 2)),
          },
          {
            key: "age",
            title: words.age,
            numeric: true,
            value: (row) => row.age_days,
            cell: (row) => (row.age_days === null ? words.none : words.days(row.age_days)),
          },
        ]}
      />
    </Card>
  );
}

export function Fallbacks({ told }: Told): ReactNode {
  const words = useWords(TODAY_WORDS);
  const { count } = useFormats();
  return (
    <div id="fallbacks" tabIndex={-1}>
      <Card title={words.fallbacksTitle} about={words.fallbacksAbout}>
        {told.fallbacks.length === 0 ? (
          <Empty title={words.noFallbacks}>{words.noFallbacksWhat}</Empty>
        ) : (
          <DataTable
            caption={words.fallbacksTitle}
            hideCaption
            rows={told.fallbacks}
            rowKey={(row) => `${row.component} ${row.used}`}
            csv="fallbacks"
            columns={[
              {
                key: "component",
                title: words.component,
                value: (row) => row.component,
                cell: (row) => <English>{row.component}</English>,
              },
              {
                key: "used",
                title: words.used,
                value: (row) => row.used,
                cell: (row) => <English>{row.used}</English>,
              },
              {
                key: "count",
                title: words.times,
                value: (row) => row.count,
                cell: (row) => count(row.count),
                numeric: true,
              },
            ]}
          />
        )}
      </Card>
    </div>
  );
}

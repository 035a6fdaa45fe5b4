/** What is known of a member: worth, risk with its reasons and trend, how they felt, segments and basket. */
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { Link } from "react-router";
import { type Answer, read } from "../client.ts";
import { Card, Chart, Empty, Facts, Figure, Loaded, Meaning, Tag } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { useSegmentNames } from "../told/names.ts";
import { English } from "../told/told.tsx";
import { RISK } from "./customers.tsx";
import { Labels, type Member } from "./labels.tsx";
import { Variety } from "./variety.tsx";
import { CUSTOMER_WORDS } from "./words.ts";

type Plot = typeof import("@observablehq/plot");
type Risk = Answer<"/v1/members/{member_id}/risk", "get">;
type Felt = Member["affect"][number];

function RiskTrend({ risk }: { readonly risk: Risk }): ReactNode {
  const words = useWords(CUSTOMER_WORDS);
  const { share, utcDay } = useFormats();
  const rows = useMemo(() => risk.trend.map((one) => ({ ...one, at: new Date(`${one.day}T00:00:00Z`) })), [risk]);
  const marks = useMemo(
    () => (plot: Plot) => [
      plot.ruleY([0], { stroke: "var(--aisle-control-line)" }),
      plot.lineY(rows, { x: "at", y: "probability", stroke: "var(--chart-1)", strokeWidth: 2 }),
      plot.dot(rows, { x: "at", y: "probability", fill: "var(--chart-1)", r: 3 }),
    ],
    [rows],
  );
  return (
    <Chart
      title={words.riskTitle}
      answer={risk.probability === null ? (risk.why_not ?? "") : words.riskAnswer(share(risk.probability))}
      rows={rows}
      columns={[
        { key: "day", title: words.week, value: (row) => row.day, cell: (row) => utcDay(row.at) },
        {
          key: "p",
          title: words.probability,
          value: (row) => row.probability,
          cell: (row) => share(row.probability),
          numeric: true,
        },
      ]}
      marks={marks}
      options={RISK_AXES}
      height={180}
      csv="risk"
    />
  );
}
const RISK_AXES = {
  x: { type: "utc" as const, label: null, ticks: 4 },
  y: { label: null, domain: [0, 1], ticks: 4, grid: true, tickFormat: "%" },
};

function RiskCard({ member }: { readonly member: Member }): ReactNode {
  const words = useWords(CUSTOMER_WORDS);
  const query = useQuery({
    queryKey: ["member", member.member_id, "risk"],
    queryFn: () => read("/v1/members/{member_id}/risk", { params: { path: { member_id: member.member_id } } }),
  });
  return (
    <Card title={words.risk}>
      <Loaded query={query}>
        {(risk) => (
          <>
            {risk.value && (
              <p>
                <Tag tone={RISK[risk.value] ?? "plain"}>{words.risks[risk.value]}</Tag>{" "}
                <Meaning name={words.risk} at="lapse_risk" /> <English>{risk.sentence}</English>
              </p>
            )}
            {risk.trend.length > 0 ? (
              <RiskTrend risk={risk} />
            ) : (
              <Empty title={words.riskNone}>
                <English>{risk.why_not}</English>
              </Empty>
            )}
          </>
        )}
      </Loaded>
    </Card>
  );
}

function Worth({ member: { worth } }: { readonly member: Member }): ReactNode {
  const words = useWords(CUSTOMER_WORDS);
  const { count, day } = useFormats();
  if (!worth) {
    return (
      <Card title={words.worth}>
        <Empty title={words.noLabelsConsent} />
      </Card>
    );
  }
  return (
    <Card title={words.worth}>
      <div className="figures">
        <Figure name={words.spent} value={worth.spent.text} />
        <Figure
          name={words.expected}
          value={worth.expected?.text ?? words.none}
          {...(worth.low && worth.high ? { note: words.expectedRange(worth.low.text, worth.high.text) } : {})}
          definition="lifetime_value"
        />
      </div>
      <Facts
        facts={[
          [words.ordersSoFar, count(worth.orders)],
          [words.firstOrder, worth.first_order_at ? day(worth.first_order_at) : words.none],
        ]}
      />
    </Card>
  );
}

function FeltOn({ felt }: { readonly felt: Felt }): ReactNode {
  const words = useWords(CUSTOMER_WORDS);
  const { number, time } = useFormats();
  const rows = useMemo(() => felt.points.map((one) => ({ valence: one.valence, at: new Date(one.at) })), [felt]);
  const marks = useMemo(
    () => (plot: Plot) => [
      plot.ruleY([0], { stroke: "var(--aisle-control-line)" }),
      plot.dot(rows, { x: "at", y: "valence", fill: "var(--chart-1)", r: 3 }),
    ],
    [rows],
  );
  const channel = words.channels[felt.channel] ?? felt.channel;
  return (
    <Chart
      title={words.affectQ(channel)}
      answer={words.affectAnswer(number(felt.mean, 2))}
      rows={rows}
      columns={[
        { key: "at", title: words.at, value: (row) => row.at.toISOString(), cell: (row) => time(row.at) },
        { key: "valence", title: words.valence, value: (row) => row.valence, numeric: true },
      ]}
      marks={marks}
      options={AFFECT_AXES}
      height={150}
      csv={`affect-${felt.channel}`}
    />
  );
}
const DAY_MS = 86_400_000;
const AFFECT_AXES = {
  x: { type: "utc" as const, label: null, ticks: 4, domain: [new Date(Date.now() - 90 * DAY_MS), new Date()] },
  y: { label: null, domain: [-1, 1], ticks: 3, grid: true },
};

function Affect({ member }: { readonly member: Member }): ReactNode {
  const words = useWords(CUSTOMER_WORDS);
  return (
    <Card title={words.affect}>
      {member.affect.map((felt) => (
        <FeltOn key={felt.channel} felt={felt} />
      ))}
      {member.affect.length === 0 && member.consented && <p className="muted">{words.affectNone}</p>}
      {member.affect_withheld.map((why) => (
        <p key={why} className="muted">
          <English>{why}</English>
        </p>
      ))}
    </Card>
  );
}

export function Profile({ member }: { readonly member: Member }): ReactNode {
  const words = useWords(CUSTOMER_WORDS);
  const named = useSegmentNames();
  const { count } = useFormats();
  return (
    <div className="grid">
      <Worth member={member} />
      <RiskCard member={member} />
      <Labels member={member} />
      <Affect member={member} />
      <Variety member={member} />
      <Card title={words.segments}>
        {member.segments.length === 0 ? (
          <p className="muted">{words.noSegments}</p>
        ) : (
          <ul className="row">
            {member.segments.map((one) => (
              <li key={one.segment_id}>
                <Link to={`/customers?segment=${one.segment_id}`}>{named(one.name)}</Link>
              </li>
            ))}
          </ul>
        )}
      </Card>
      <Card title={words.basket}>
        {member.basket.length === 0 ? (
          <p className="muted">{words.emptyBasket}</p>
        ) : (
          <Facts facts={member.basket.map((line) => [line.name, `× ${count(line.quantity)}`] as const)} />
        )}
      </Card>
    </div>
  );
}

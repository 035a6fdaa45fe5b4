/** Whether declared groups are treated alike: a verdict for each comparison, and each group's distance with its interval. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useCallback, useState } from "react";
import { type Answer, read, send } from "../client.ts";
import {
  Button,
  Card,
  Chart,
  Choice,
  DataTable,
  Empty,
  Loaded,
  NumberField,
  Tag,
  type Tone,
  useFailed,
} from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { useFair } from "../told/fairness.ts";
import { English } from "../told/told.tsx";
import { TRUST_WORDS } from "./words.ts";

type Report = NonNullable<Answer<"/v1/trust/fairness", "get">["report"]>;
type Finding = Report["findings"][number];
type Group = Finding["groups"][number];
const KEY = ["fairness"];
const LOOK_AGAIN_MS = 2000;
const TONES: Readonly<Record<string, Tone>> = { within: "good", unclear: "warn", beyond: "bad" };
const idOf = (one: Finding): string => `${one.measure} ${one.attribute}`;

/** A distance in the limit's terms: a share of everybody's mean, or in the measure's own unit. */
function useDistance(): (value: number | null, how: Finding["how"]) => string {
  const { signed, share, number } = useFormats();
  return (value, how) =>
    value === null ? "–" : signed(value, (size) => (how === "relative" ? share(size) : number(size, 3)));
}

function Forest({ finding }: { readonly finding: Finding }): ReactNode {
  const words = useWords(TRUST_WORDS);
  const fair = useFair(words.measures);
  const { number } = useFormats();
  const distance = useDistance();
  const marks = useCallback(
    (plot: typeof import("@observablehq/plot")) => [
      ...(finding.within === null
        ? []
        : [
            plot.rectX([finding.within], {
              x1: (limit) => -limit,
              x2: (limit) => limit,
              fill: "var(--chart-1)",
              fillOpacity: 0.12,
            }),
          ]),
      plot.ruleX([0], { stroke: "var(--aisle-control-line)" }),
      plot.ruleY(finding.groups, {
        x1: "low",
        x2: "high",
        y: "group",
        stroke: "var(--chart-1)",
        strokeWidth: 2,
        strokeOpacity: (group: Group) => (group.judged ? 1 : 0.4),
      }),
      plot.dot(finding.groups, {
        x: "off",
        y: "group",
        r: 4,
        fill: (group: Group) => (group.judged ? "var(--chart-1)" : "var(--aisle-surface)"),
        stroke: "var(--chart-1)",
      }),
    ],
    [finding],
  );
  return (
    <Chart
      title={words.howFar(words.measures[finding.measure] ?? finding.measure, finding.attribute)}
      answer={fair.finding(finding) ?? finding.sentence}
      rows={finding.groups}
      columns={[
        { key: "group", title: words.group, value: (row) => row.group },
        { key: "members", title: words.members, value: (row) => row.members, numeric: true },
        {
          key: "mean",
          title: words.mean,
          value: (row) => row.mean,
          cell: (row) => (row.mean === null ? "–" : number(row.mean, 3)),
          numeric: true,
        },
        {
          key: "off",
          title: words.off,
          value: (row) => row.off,
          cell: (row) => distance(row.off, finding.how),
          numeric: true,
        },
        {
          key: "low",
          title: words.low,
          value: (row) => row.low,
          cell: (row) => distance(row.low, finding.how),
          numeric: true,
        },
        {
          key: "high",
          title: words.high,
          value: (row) => row.high,
          cell: (row) => distance(row.high, finding.how),
          numeric: true,
        },
        {
          key: "judged",
          title: words.judged,
          value: (row) => row.judged,
          cell: (row) => (row.judged ? "✓" : words.fewMembers),
        },
      ]}
      marks={marks}
      options={AXES}
      height={60 + finding.groups.length * 28}
      csv={`fairness-${finding.measure}-${finding.attribute}`}
    />
  );
}
const AXES = { marginLeft: 130, x: { label: null, grid: true, ticks: 5 }, y: { label: null } } as const;

function Findings({ report }: { readonly report: Report }): ReactNode {
  const words = useWords(TRUST_WORDS);
  const fair = useFair(words.measures);
  const { share, number } = useFormats();
  const drawn = report.findings.filter((one) => one.groups.length > 0);
  const [chosen, choose] = useState<string>();
  const shown = drawn.find((one) => idOf(one) === chosen) ?? drawn.find((one) => one.verdict === "beyond") ?? drawn[0];
  const name = (one: Finding): string => `${words.measures[one.measure] ?? one.measure} · ${one.attribute}`;
  if (report.findings.length === 0) return <Empty title={words.noFindings}>{words.noFindingsWhat}</Empty>;
  return (
    <div className="grid">
      {shown && (
        <Card title={name(shown)} wide>
          <Choice
            label={words.chosen}
            value={idOf(shown)}
            onChange={choose}
            options={drawn.map((one) => ({
              id: idOf(one),
              name: name(one),
              about: words.verdicts[one.verdict] ?? one.verdict,
            }))}
          />
          <Forest finding={shown} />
          {shown.reversed_in_segments.length > 0 && <p>{words.turned(shown.reversed_in_segments.join(", "))}</p>}
        </Card>
      )}
      <Card title={words.findings} wide>
        <DataTable
          caption={words.findings}
          hideCaption
          csv="fairness"
          rows={report.findings}
          rowKey={idOf}
          columns={[
            { key: "measure", title: words.measure, value: (one) => words.measures[one.measure] ?? one.measure },
            { key: "by", title: words.by, value: (one) => one.attribute },
            {
              key: "verdict",
              title: words.verdict,
              value: (one) => words.verdicts[one.verdict] ?? one.verdict,
              cell: (one) => (
                <Tag tone={TONES[one.verdict] ?? "plain"}>{words.verdicts[one.verdict] ?? one.verdict}</Tag>
              ),
            },
            {
              key: "limit",
              title: words.limit,
              value: (one) => one.within,
              cell: (one) =>
                one.within === null ? "–" : `±${one.how === "relative" ? share(one.within) : number(one.within, 3)}`,
              numeric: true,
            },
            {
              key: "why",
              title: words.why,
              value: (one) => one.sentence,
              cell: (one) => <span className="told">{fair.finding(one) ?? <English>{one.sentence}</English>}</span>,
            },
          ]}
        />
      </Card>
    </div>
  );
}

export function Fairness(): ReactNode {
  const words = useWords(TRUST_WORDS);
  const fair = useFair(words.measures);
  const { time, count } = useFormats();
  const queries = useQueryClient();
  const [days, setDays] = useState(28);
  const query = useQuery({
    queryKey: KEY,
    queryFn: () => read("/v1/trust/fairness"),
    refetchInterval: (asked) => (asked.state.data?.running ? LOOK_AGAIN_MS : false),
  });
  const run = useMutation({
    mutationFn: () => send("post", "/v1/trust/fairness", { body: { days } }),
    onError: useFailed(),
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
  });
  const running = query.data?.running === true || run.isPending;
  return (
    <div className="stack">
      <div className="row">
        <NumberField label={words.days} value={days} onChange={setDays} least={1} most={730} />
        <Button kind="main" isDisabled={running} onPress={() => run.mutate()}>
          {words.run}
        </Button>
      </div>
      <p role="status" className="muted">
        {running ? words.running : query.data?.failed ? words.failed : ""}
      </p>
      <Loaded query={query} lines={8}>
        {({ report }) =>
          report === null ? (
            <Empty title={words.noReport}>{words.noReportWhat}</Empty>
          ) : (
            <>
              {report.findings.length > 0 && <p className="lead">{fair.summary(report) ?? report.summary}</p>}
              <p className="muted">
                {words.reportOf(time(report.at), report.author, count(report.decisions), report.days)}
              </p>
              {report.price && report.findings.length > 0 && (
                <p className="muted">
                  <English>{report.price}</English>
                </p>
              )}
              <Findings report={report} />
            </>
          )
        }
      </Loaded>
    </div>
  );
}

/** One experiment: what to do next, what it says, its groups, and its segments. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useCallback, useState } from "react";
import { Link, useParams } from "react-router";
import { type Answer, onlyIf, read, send } from "../client.ts";
import {
  Button,
  Card,
  Chart,
  Choice,
  Confirm,
  DataTable,
  Empty,
  Facts,
  Loaded,
  Page,
  Tabs,
  Tag,
  useToast,
  Wrong,
} from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { useSegmentNames } from "../told/names.ts";
import { Says } from "../told/told.tsx";
import "./experiments.css";
import { Effects, isMoney, useMetric } from "./effects.tsx";
import { State } from "./experiments.tsx";
import { EXPERIMENT_WORDS } from "./words.ts";

type Told = Answer<"/v1/experiments/{experiment_id}/results", "get">;
type ArmResult = Told["results"][number];
const AXES = { x: { label: null, type: "utc" }, y: { label: null, ticks: 4, grid: true } } as const;

function Next({ told }: { readonly told: Told }): ReactNode {
  const words = useWords(EXPERIMENT_WORDS);
  const queries = useQueryClient();
  const tell = useToast();
  const params = { path: { experiment_id: told.experiment_id }, header: onlyIf(told.etag) };
  const act = useMutation({
    mutationFn: (move: "start" | "end") =>
      move === "start"
        ? send("post", "/v1/experiments/{experiment_id}/start", { params })
        : send("post", "/v1/experiments/{experiment_id}/end", { params }),
    onSuccess: (_, move) => tell(move === "start" ? words.begun : words.over),
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: ["experiments"] });
      return queries.invalidateQueries({ queryKey: ["experiment", told.experiment_id] });
    },
  });
  return (
    <Card title={words.nextStep} wide>
      <p>{words.steps[told.status]}</p>
      <Wrong error={act.error} />
      <div className="row">
        {told.status === "draft" && (
          <Button kind="main" isDisabled={act.isPending} onPress={() => act.mutate("start")}>
            {words.start}
          </Button>
        )}
        {told.status === "running" && (
          <Confirm
            opener={<Button kind="danger">{words.end}</Button>}
            title={words.endAsk}
            verb={words.end}
            onConfirm={() => act.mutate("end")}
          >
            {words.endAbout}
          </Confirm>
        )}
      </div>
    </Card>
  );
}

/** What the colours of a chart stand for. */
function Legend({ names }: { readonly names: readonly string[] }): ReactNode {
  return (
    <ul className="row legend">
      {names.map((name) => (
        <li key={name}>{name}</li>
      ))}
    </ul>
  );
}

function Exposed({ told }: { readonly told: Told }): ReactNode {
  const words = useWords(EXPERIMENT_WORDS);
  const { count } = useFormats();
  const { daily } = told;
  const marks = useCallback(
    (plot: typeof import("@observablehq/plot")) => [
      plot.rectY(daily, {
        x: (one) => new Date(one.day),
        interval: "day",
        y: "units",
        fill: (one) => `var(--chart-${told.arms.findIndex((arm) => arm.name === one.arm) === 0 ? 1 : 2})`,
      }),
      plot.ruleY([0], { stroke: "var(--aisle-control-line)" }),
    ],
    [daily, told.arms],
  );
  const all = Object.values(told.exposed).reduce((sum, one) => sum + one, 0);
  return (
    <>
      <Legend
        names={[
          told.arms[0]?.name ?? "",
          told.arms
            .slice(1)
            .map((arm) => arm.name)
            .join(", "),
        ]}
      />
      <Chart
        title={words.exposedTitle}
        answer={words.exposedAnswer(count(all))}
        rows={daily}
        columns={[
          { key: "day", title: words.day, value: (row) => row.day },
          { key: "arm", title: words.group, value: (row) => row.arm },
          { key: "units", title: words.exposed, value: (row) => row.units, numeric: true },
        ]}
        marks={marks}
        options={AXES}
        csv="exposures"
      />
    </>
  );
}

function ArmEffects({ told, arm }: { readonly told: Told; readonly arm: ArmResult }): ReactNode {
  const words = useWords(EXPERIMENT_WORDS);
  const fixed = told.design === "fixed";
  return (
    <Effects
      caption={`${words.effects}: ${arm.arm}`}
      effects={arm.effects}
      csv={`${told.experiment_id}-${arm.arm}`}
      fixed={fixed}
      titles={{
        metric: words.measure,
        first: words.first_,
        second: words.second,
        difference: words.difference,
        interval: fixed ? words.interval : words.intervalAlways,
      }}
      named={(metric) => words.metrics[metric] ?? metric}
      between={words.between}
      mark={(metric) => metric === told.metric && <Tag tone="good">{words.better}</Tag>}
    />
  );
}

function Result({ told }: { readonly told: Told }): ReactNode {
  const words = useWords(EXPERIMENT_WORDS);
  const { share } = useFormats();
  const judged = told.results.some((arm) => arm.effects.length > 0);
  return (
    <div className="stack">
      <Card title={words.conclusion} wide>
        {told.alarm && (
          <p role="alert">
            <Tag tone="bad">{words.alarm}</Tag>{" "}
            <Says told={{ code: "experiment.alarm", facts: { p: told.srm_exposed_p } }} english={told.alarm} />
          </p>
        )}
        {told.conclusion.map((line, place) => (
          <p key={line}>
            <Says told={told.conclusion_told[place]} english={line} />
          </p>
        ))}
      </Card>
      <Card title={words.groups} wide>
        <DataTable
          caption={words.groups}
          hideCaption
          rows={told.arms}
          rowKey={(arm) => arm.name}
          columns={[
            { key: "name", title: words.group, value: (arm) => arm.name },
            {
              key: "share",
              title: words.share,
              value: (arm) => arm.share,
              cell: (arm) => share(arm.share, 0),
              numeric: true,
            },
            { key: "exposed", title: words.exposed, value: (arm) => told.exposed[arm.name] ?? 0, numeric: true },
            { key: "judged", title: words.judged, value: (arm) => told.units[arm.name] ?? 0, numeric: true },
          ]}
        />
        {told.daily.length > 0 && <Exposed told={told} />}
      </Card>
      <Card title={words.effects} wide>
        {judged ? (
          told.results.map((arm) => arm.effects.length > 0 && <ArmEffects key={arm.arm} told={told} arm={arm} />)
        ) : (
          <Empty title={words.nothingYet}>{words.nothingYetAbout}</Empty>
        )}
      </Card>
    </div>
  );
}

function Segments({ told }: { readonly told: Told }): ReactNode {
  const words = useWords(EXPERIMENT_WORDS);
  const { number, currency } = useFormats();
  const write = useMetric();
  const named = useSegmentNames();
  const [by, setBy] = useState("cluster");
  const [correction, setCorrection] = useState<"holm" | "bh">("holm");
  const query = useQuery({
    queryKey: ["experiment", told.experiment_id, "segments", by, correction],
    queryFn: () =>
      read("/v1/experiments/{experiment_id}/segments", {
        params: { path: { experiment_id: told.experiment_id }, query: { by, correction } },
      }),
  });
  const options = (of: Record<string, string>) => Object.entries(of).map(([id, name]) => ({ id, name }));
  return (
    <Card title={words.bySegment} about={words.bySegmentAbout} wide>
      <div className="pair">
        <Choice label={words.by} value={by} onChange={setBy} options={options(words.bys)} />
        <Choice
          label={words.correction}
          value={correction}
          onChange={(id) => setCorrection(id as "holm" | "bh")}
          options={options(words.corrections)}
        />
      </div>
      <Loaded query={query}>
        {(found) => (
          <>
            <p>
              <Says told={found.told} english={found.sentence} />
            </p>
            {found.parts.length > 0 && (
              <DataTable
                caption={words.bySegment}
                hideCaption
                rows={found.parts}
                rowKey={(part) => `${part.segment}/${part.arm}`}
                csv={`${told.experiment_id}-segments`}
                columns={[
                  { key: "segment", title: words.segment, value: (part) => named(part.name) },
                  { key: "arm", title: words.group, value: (part) => part.arm },
                  {
                    key: "units",
                    title: words.judged,
                    value: (part) => part.units + part.control_units,
                    numeric: true,
                  },
                  {
                    key: "difference",
                    title: words.difference,
                    value: (part) => part.effect.difference,
                    cell: (part) => write(told.metric, part.effect.difference),
                    ...(isMoney(told.metric) ? { money: currency } : {}),
                    numeric: true,
                  },
                  {
                    key: "p",
                    title: words.p,
                    value: (part) => part.adjusted,
                    cell: (part) => number(part.adjusted, 4),
                    numeric: true,
                  },
                  {
                    key: "found",
                    title: words.found,
                    value: (part) => String(part.found),
                    cell: (part) => (part.found ? words.yes : words.no),
                  },
                ]}
              />
            )}
          </>
        )}
      </Loaded>
    </Card>
  );
}

function Plan({ told }: { readonly told: Told }): ReactNode {
  const words = useWords(EXPERIMENT_WORDS);
  const { share, count, day } = useFormats();
  const guardrails = Object.keys(told.guardrails).map((name) => words.metrics[name] ?? name);
  return (
    <Card title={words.plan}>
      <Facts
        facts={[
          [words.question, <bdi key="question">{told.hypothesis}</bdi>],
          [words.measure, words.metrics[told.metric] ?? told.metric],
          [words.guardrail, guardrails.length > 0 ? guardrails.join(", ") : words.noGuardrail],
          [words.design, words.designs[told.design]?.[0] ?? told.design],
          [words.people, told.planned_units > 0 ? count(told.planned_units) : "–"],
          [words.window, count(told.window_days)],
          [words.traffic, share(told.traffic, 0)],
          [words.started, told.started_at ? day(told.started_at) : "–"],
        ]}
      />
    </Card>
  );
}

export default function ExperimentPage(): ReactNode {
  const words = useWords(EXPERIMENT_WORDS);
  const { experiment = "" } = useParams();
  const query = useQuery({
    queryKey: ["experiment", experiment],
    queryFn: () => read("/v1/experiments/{experiment_id}/results", { params: { path: { experiment_id: experiment } } }),
    refetchInterval: 60_000,
  });
  return (
    <Page
      title={experiment}
      about={query.data && <bdi>{query.data.hypothesis}</bdi>}
      back={<Link to="/experiments">{words.back}</Link>}
      actions={query.data && <State status={query.data.status} />}
    >
      <Loaded query={query} lines={8}>
        {(told) => (
          <div className="stack">
            <Next told={told} />
            <Tabs
              label={words.parts}
              parts={[
                { id: "result", name: words.result, content: () => <Result told={told} /> },
                { id: "segments", name: words.bySegment, content: () => <Segments told={told} /> },
                { id: "plan", name: words.plan, content: () => <Plan told={told} /> },
              ]}
            />
          </div>
        )}
      </Loaded>
    </Page>
  );
}

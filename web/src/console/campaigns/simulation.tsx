/** What a campaign is expected to do, before anything is given. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useCallback, useEffect, useMemo, useRef } from "react";
import { useSearchParams } from "react-router";
import { ApiError } from "../../api/http.ts";
import { type Answer, read, send } from "../client.ts";
import { units } from "../currency.ts";
import { Button, Card, Chart, DataTable, Empty, Figure, Loaded, Progress, Wrong } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { English, Says } from "../told/told.tsx";
import type { Campaign } from "./campaigns.tsx";
import { CAMPAIGN_WORDS } from "./words.ts";

type Told = Answer<"/v1/campaigns/{campaign_id}/simulate", "post">;
type Result = NonNullable<Told["result"]>;
const AGAIN_MS = 800;
const busy = (one: Told | null | undefined): boolean => one?.state === "queued" || one?.state === "running";

function Path({ result }: { readonly result: Result }): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const { money, number } = useFormats();
  const rows = result.path;
  const minor = units(result.currency);
  const marks = useCallback(
    (plot: typeof import("@observablehq/plot")) => [
      plot.areaY(rows, { x: "day", y: (one) => one.spent / minor, fill: "var(--chart-1)", fillOpacity: 0.15 }),
      plot.lineY(rows, { x: "day", y: (one) => one.spent / minor, stroke: "var(--chart-1)", strokeWidth: 2 }),
      plot.ruleY([0], { stroke: "var(--aisle-control-line)" }),
    ],
    [rows, minor],
  );
  return (
    <Chart
      title={words.pathTitle}
      answer={words.pathAnswer(
        money(rows.at(-1)?.spent ?? 0, result.currency),
        money(result.budget_minor, result.currency),
      )}
      rows={rows}
      columns={[
        { key: "day", title: words.day, value: (one) => one.day, numeric: true },
        {
          key: "spent",
          title: words.spent,
          value: (one) => one.spent,
          money: result.currency,
          numeric: true,
        },
        {
          key: "price",
          title: words.price,
          value: (one) => one.price,
          cell: (one) => number(one.price, 4),
          numeric: true,
        },
      ]}
      marks={marks}
      options={AXES}
      csv="simulated-spending"
    />
  );
}
const AXES = { x: { label: null }, y: { label: null, ticks: 4, grid: true } } as const;

function Groups({ result }: { readonly result: Result }): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const { count, share, number } = useFormats();
  if (result.groups.length === 0) return <p className="muted">{words.noGroups}</p>;
  return (
    <DataTable
      caption={words.groupsTitle}
      hideCaption
      rows={result.groups}
      rowKey={(one) => `${one.attribute}/${one.group}`}
      csv="simulated-groups"
      columns={[
        { key: "attribute", title: words.attribute, value: (one) => one.attribute },
        { key: "group", title: words.group, value: (one) => one.group },
        {
          key: "people",
          title: words.people,
          value: (one) => one.people,
          cell: (one) => count(one.people),
          numeric: true,
        },
        {
          key: "share",
          title: words.withCoupon,
          value: (one) => one.with_coupon,
          cell: (one) => share(one.with_coupon),
          numeric: true,
        },
        {
          key: "discount",
          title: words.meanDiscount,
          value: (one) => one.discount_minor,
          money: result.currency,
          numeric: true,
        },
        {
          key: "added",
          title: words.added,
          value: (one) => one.added_conversion * 100,
          cell: (one) => number(one.added_conversion * 100, 2),
          numeric: true,
        },
      ]}
    />
  );
}

function Figures({ result }: { readonly result: Result }): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const { money, count, share, number } = useFormats();
  const cash = (value: number): string => money(value, result.currency);
  const gained = result.objective === "orders" ? (value: number) => number(value) : cash;
  const range = (one: { low: number; high: number }, write: (value: number) => string): string =>
    words.between(write(one.low), write(one.high));
  return (
    <div className="figures">
      <Figure
        name={words.expectedSpend}
        value={cash(result.spend.expected)}
        note={range(result.spend, cash)}
        definition="expected_cost"
      />
      <Figure name={words.coupons} value={count(result.coupons)} />
      <Figure
        name={words.conversions}
        definition="expected_purchases"
        value={number(result.conversions.expected)}
        note={`${range(result.conversions, (value) => number(value))} · ${words.withoutIt(number(result.conversions_without))}`}
      />
      <Figure
        name={words.lift}
        definition="lift"
        value={share(result.lift.expected)}
        note={range(result.lift, (value) => share(value))}
      />
      <Figure name={words.gained} value={gained(result.gained.expected)} note={range(result.gained, gained)} />
    </div>
  );
}

function Outcome({ told, one }: { readonly told: Told; readonly one: Campaign }): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const { result } = told;
  if (!result)
    return (
      <p role="alert">
        <English>{told.reason}</English>
      </p>
    );
  return (
    <>
      {told.version < one.version && one.state === "draft" && <p className="muted">{words.stale}</p>}
      <p className="lead">
        <Says told={result.told} english={result.sentence} />
      </p>
      <Figures result={result} />
      {result.notes.map((note, place) => (
        <p key={note} className="muted">
          <Says told={result.notes_told?.[place]} english={note} />
        </p>
      ))}
      <Path result={result} />
      <h3>{words.groupsTitle}</h3>
      <Groups result={result} />
      {result.fairness && (
        <>
          <h3>{words.fairness}</h3>
          <p>
            <Says told={{ code: "simulation.fairness", facts: result.fairness }} english={result.fairness.sentence} />
          </p>
        </>
      )}
    </>
  );
}

export function Simulation({ one }: { readonly one: Campaign }): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const queries = useQueryClient();
  const [search, setSearch] = useSearchParams();
  const key = useMemo(() => ["simulation", one.campaign_id], [one.campaign_id]);
  const path = { campaign_id: one.campaign_id };
  const newest = useQuery({
    queryKey: key,
    queryFn: () =>
      read("/v1/campaigns/{campaign_id}/simulations/{simulation_id}", {
        params: { path: { ...path, simulation_id: "newest" } },
      }).catch((why: unknown) => {
        if (why instanceof ApiError && why.status === 404) return null;
        throw why;
      }),
    refetchInterval: ({ state }) => (busy(state.data) ? AGAIN_MS : false),
  });
  const begin = useMutation({
    mutationFn: () => send("post", "/v1/campaigns/{campaign_id}/simulate", { params: { path }, body: { seed: 7 } }),
    onSuccess: (told) => queries.setQueryData(key, told),
  });
  const asked = useRef(false);
  const wanted = search.get("simulate") === "yes";
  useEffect(() => {
    if (!wanted || asked.current) return;
    asked.current = true;
    begin.mutate();
    setSearch(
      (was) => {
        was.delete("simulate");
        return was;
      },
      { replace: true },
    );
  }, [wanted, begin, setSearch]);
  const told = newest.data;
  const working = begin.isPending || busy(told);
  const start = (
    <Button isDisabled={working} onPress={() => begin.mutate()}>
      {told ? words.simulate : words.start}
    </Button>
  );
  return (
    <Card title={words.simulation} wide actions={told && start}>
      <Wrong error={begin.error} />
      {working && <Progress label={words.simulating} value={told?.progress ?? 0} written={words.simulating} />}
      <Loaded query={newest}>
        {(found) =>
          found && !busy(found) ? (
            <Outcome told={found} one={one} />
          ) : working ? null : (
            <Empty title={words.notYet} action={start}>
              {words.notYetAbout}
            </Empty>
          )
        }
      </Loaded>
    </Card>
  );
}

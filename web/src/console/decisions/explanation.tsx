/** Why a decision came out as it did: the sentence for the shopper, the parts of each item's score, and the panel for staff. */
import { type ReactNode, useCallback, useMemo } from "react";
import type { Answer } from "../client.ts";
import { Card, Chart, DataTable, Facts, Tag } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { English } from "../told/told.tsx";
import { DECISION_WORDS } from "./words.ts";

export type Told = Answer<"/v1/decisions/{decision_id}/explanation", "get">;
const ROW_PX = 30;
const AXES = { x: { label: null, grid: true }, y: { label: null }, marginLeft: 180, color: { legend: false } } as const;

function Parts({ told }: { readonly told: Told }): ReactNode {
  const words = useWords(DECISION_WORDS);
  const { number, count } = useFormats();
  const { items } = told.facts;
  const parts = useMemo(
    () => items.flatMap((item) => item.parts.map((part) => ({ item: item.name, rank: item.rank, ...part }))),
    [items],
  );
  const marks = useCallback(
    (plot: typeof import("@observablehq/plot")) => [
      plot.ruleX([0], { stroke: "var(--aisle-control-line)" }),
      plot.barX(parts, {
        y: "item",
        x: "part",
        fill: "var(--chart-1)",
        stroke: "var(--aisle-surface)",
        title: (part) => `${part.words}: ${number(part.part, 2)}`,
        sort: { y: "data" },
      }),
    ],
    [parts, number],
  );
  if (parts.length === 0) return null;
  return (
    <Chart
      title={words.items}
      answer={words.itemsAnswer(count(items.length))}
      rows={parts}
      columns={[
        { key: "rank", title: words.rank, value: (part) => part.rank, numeric: true },
        { key: "item", title: words.item, value: (part) => part.item },
        {
          key: "evidence",
          title: words.evidence,
          value: (part) => part.words,
          cell: (part) => <English>{part.words}</English>,
        },
        {
          key: "part",
          title: words.part,
          value: (part) => part.part,
          cell: (part) => number(part.part, 2),
          numeric: true,
        },
      ]}
      marks={marks}
      options={AXES}
      height={50 + ROW_PX * items.length}
      csv={`decision-${told.decision_id}`}
    />
  );
}

export function Explanation({ told }: { readonly told: Told }): ReactNode {
  const words = useWords(DECISION_WORDS);
  const { number } = useFormats();
  const { facts } = told;
  return (
    <div className="grid">
      <Card wide title={words.shopper}>
        <p>
          <English>{told.sentence}</English>
        </p>
        {facts.fallbacks.map((fallback) => (
          <p key={fallback}>
            <Tag tone="warn">{words.fallback}</Tag> <English>{fallback}</English>
          </p>
        ))}
      </Card>
      <Card wide title={words.shown}>
        <Parts told={told} />
        <DataTable
          caption={words.items}
          hideCaption
          csv={`items-${told.decision_id}`}
          rows={facts.items}
          rowKey={(item) => item.product_id}
          columns={[
            { key: "rank", title: words.rank, value: (item) => item.rank, numeric: true },
            { key: "name", title: words.item, value: (item) => item.name },
            {
              key: "score",
              title: words.score,
              value: (item) => item.score,
              cell: (item) => (item.score === null ? "–" : number(item.score, 2)),
              numeric: true,
            },
            {
              key: "reason",
              title: words.reason,
              value: (item) => item.reason,
              cell: (item) => <English>{item.reason}</English>,
            },
            {
              key: "without",
              title: words.without,
              value: (item) => item.counterfactual?.sentence ?? "",
              cell: (item) => <English>{item.counterfactual?.sentence ?? ""}</English>,
            },
          ]}
        />
      </Card>
      {told.panel.map((section) => (
        <Card key={section.title} title={<English>{section.title}</English>}>
          <Facts
            facts={section.rows.map(
              (row) =>
                [
                  row.label,
                  <English key={row.label}>{row.value}</English>,
                  <English key={row.label}>{row.label}</English>,
                ] as const,
            )}
          />
        </Card>
      ))}
    </div>
  );
}

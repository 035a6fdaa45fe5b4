/** Model cards: what each is for and not for, and how good it was measured to be. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { type Answer, read } from "../client.ts";
import { Card, DataTable, Facts, Loaded, Tag } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { English } from "../told/told.tsx";
import { TRUST_WORDS } from "./words.ts";

type Model = Answer<"/v1/trust/models", "get">["models"][number];

/** A card's words are long and change with each training: they stand as its author wrote them. */
const english = (text: string): ReactNode => <English>{text}</English>;

function One({ model }: { readonly model: Model }): ReactNode {
  const words = useWords(TRUST_WORDS);
  const { number, count, day } = useFormats();
  const facts: [string, ReactNode][] = [
    [words.notFor, english(model.not_for)],
    [words.learnedFrom, english(model.learned_from)],
    [words.personal, english(model.personal_data)],
  ];
  if (model.version) facts.push([words.version, <code key="v">{model.version}</code>]);
  if (model.made_at) facts.push([words.madeAt, day(model.made_at)]);
  if (model.seed !== null) facts.push([words.seed, String(model.seed)]);
  if (model.data_sha256) facts.push([words.data, <code key="d">{model.data_sha256.slice(0, 16)}…</code>]);
  facts.push([words.page, <code key="p">{`docs/models/${model.doc}.md`}</code>]);
  return (
    <Card
      title={words.names[model.id] ?? model.name}
      about={english(model.what)}
      actions={<Tag>{model.trained_here ? words.trainedHere : words.ships}</Tag>}
    >
      {!model.there && <p>{words.untrained}</p>}
      <Facts facts={facts} />
      {model.figures.length === 0 ? (
        <p className="muted">{words.noFigures}</p>
      ) : (
        <DataTable
          caption={words.figure}
          hideCaption
          csv={`model-${model.id}`}
          rows={model.figures}
          rowKey={(figure) => figure.name}
          columns={[
            {
              key: "name",
              title: words.figure,
              value: (figure) => figure.name,
              cell: (figure) => words.figures[figure.name] ?? figure.name,
            },
            {
              key: "value",
              title: words.value,
              value: (figure) => figure.value,
              cell: (figure) => (
                <>
                  {number(figure.value, 3)}
                  {figure.low !== null && figure.high !== null && (
                    <small className="muted"> {words.between(number(figure.low, 3), number(figure.high, 3))}</small>
                  )}
                </>
              ),
              numeric: true,
            },
            ...(model.figures.some((figure) => figure.n !== null)
              ? [
                  {
                    key: "n",
                    title: words.n,
                    value: (figure: Model["figures"][number]) => figure.n,
                    cell: (figure: Model["figures"][number]) => (figure.n === null ? "–" : count(figure.n)),
                    numeric: true,
                  },
                ]
              : []),
          ]}
        />
      )}
    </Card>
  );
}

export function Models(): ReactNode {
  const query = useQuery({ queryKey: ["models"], queryFn: () => read("/v1/trust/models") });
  return (
    <Loaded query={query} lines={8}>
      {({ models }) => (
        <div className="grid">
          {models.map((model) => (
            <One key={model.id} model={model} />
          ))}
        </div>
      )}
    </Loaded>
  );
}

/** What helps to answer: summary, mood, suggestions, notes. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useCallback, useState } from "react";
import { Link } from "react-router";
import { type Answer, read, send } from "../client.ts";
import { Button, Card, Chart, Loaded, TextArea, useFailed } from "../kit/index.ts";
import { useFormats, useLanguage, useWords } from "../language.tsx";
import { English } from "../told/told.tsx";
import type { Detail } from "./conversation.tsx";
import { INBOX_WORDS } from "./words.ts";

const sentence = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

function Mood({ detail }: { readonly detail: Detail }): ReactNode {
  const words = useWords(INBOX_WORDS);
  const { time, number } = useFormats();
  const { language } = useLanguage();
  const line = detail.affect_line;
  const marks = useCallback(
    (plot: typeof import("@observablehq/plot")) => [
      plot.ruleY([0], { stroke: "var(--aisle-control-line)" }),
      plot.lineY(line, { x: (_, place) => place + 1, y: "valence", stroke: "var(--chart-1)", strokeWidth: 2 }),
      plot.dot(line, { x: (_, place) => place + 1, y: "valence", fill: "var(--chart-1)", r: 3 }),
    ],
    [line],
  );
  const state = detail.affect?.state ?? "neutral";
  const cause = detail.affect?.cause ? ` ${sentence(detail.affect.cause)}.` : "";
  if (line.length < 2) return <p>{words.moodNow(words.states[state] ?? state)}</p>;
  return (
    <Chart
      title={words.mood}
      answer={`${words.moodNow(words.states[state] ?? state)}${language === "en" ? cause : ""}`}
      rows={line}
      columns={[
        { key: "at", title: words.at, value: (point) => point.at, cell: (point) => time(point.at) },
        {
          key: "valence",
          title: words.valence,
          value: (point) => point.valence,
          cell: (point) => number(point.valence, 2),
          numeric: true,
        },
      ]}
      marks={marks}
      options={MOOD_AXES}
      height={110}
      csv="mood"
    />
  );
}
const MOOD_AXES = { y: { domain: [-1, 1], ticks: 3, label: null }, x: { axis: null }, marginLeft: 28 } as const;

type Reply = Answer<"/v1/agents/handoffs/{handoff_id}/suggestions", "get">["replies"][number];
/** So many canned answers, which fit best, stand open; the others are one press away. */
const CANNED_OPEN = 3;
const canned = (replies: readonly Reply[]): readonly Reply[] => replies.filter((reply) => reply.why === "canned");

function Replies({
  replies,
  use,
}: {
  readonly replies: readonly Reply[];
  readonly use: (text: string) => void;
}): ReactNode {
  const words = useWords(INBOX_WORDS);
  return replies.map((reply, place) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: two canned answers may have one title
    <li key={`${reply.why} ${place}`}>
      <p className="muted">{reply.title || words.why[reply.why]}</p>
      <p dir="auto">{reply.text}</p>
      <Button
        kind="quiet"
        onPress={() => use(reply.text)}
        aria-label={`${words.use}: ${reply.title || words.why[reply.why]}`}
      >
        {words.use}
      </Button>
    </li>
  ));
}

export function Suggestions({
  detail,
  use,
}: {
  readonly detail: Detail;
  readonly use: (text: string) => void;
}): ReactNode {
  const words = useWords(INBOX_WORDS);
  const handoff = detail.handoff.handoff_id;
  const last = detail.messages.findLast((message) => message.role === "user")?.message_id;
  const query = useQuery({
    // Asked anew when the shopper has said something new, not at every look: each asking is a decision that is logged.
    queryKey: ["suggestions", handoff, last],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => read("/v1/agents/handoffs/{handoff_id}/suggestions", { params: { path: { handoff_id: handoff } } }),
  });
  return (
    <Card title={words.suggestions} about={words.suggestionsWhat}>
      <Loaded query={query}>
        {(found) => (
          <ul className="suggestions">
            <Replies replies={found.replies.filter((reply) => reply.why !== "canned")} use={use} />
            <Replies replies={canned(found.replies).slice(0, CANNED_OPEN)} use={use} />
            {canned(found.replies).length > CANNED_OPEN && (
              <li>
                <details>
                  <summary>{words.moreCanned(canned(found.replies).length - CANNED_OPEN)}</summary>
                  <ul className="suggestions">
                    <Replies replies={canned(found.replies).slice(CANNED_OPEN)} use={use} />
                  </ul>
                </details>
              </li>
            )}
            {!found.decision_id && <li className="muted">{words.calm}</li>}
            {found.items.length > 0 && (
              <li>
                <ul>
                  {found.items.map((item) => (
                    <li key={item.product_id}>
                      {item.name}, {item.price.text}{" "}
                      <span className="muted">
                        <English>{item.reason}</English>
                      </span>
                    </li>
                  ))}
                </ul>
              </li>
            )}
          </ul>
        )}
      </Loaded>
    </Card>
  );
}

function Notes({ detail }: { readonly detail: Detail }): ReactNode {
  const words = useWords(INBOX_WORDS);
  const { ago } = useFormats();
  const queries = useQueryClient();
  const [text, setText] = useState("");
  const settled = {
    onError: useFailed(),
    onSettled: () => queries.invalidateQueries({ queryKey: ["inbox", detail.handoff.handoff_id] }),
  };
  const add = useMutation({
    mutationFn: (note: string) =>
      send("post", "/v1/agents/handoffs/{handoff_id}/notes", {
        params: { path: { handoff_id: detail.handoff.handoff_id } },
        body: { text: note },
      }),
    ...settled,
    onSuccess: () => setText(""),
  });
  const remove = useMutation({
    mutationFn: (note: string) => send("delete", "/v1/agents/notes/{note_id}", { params: { path: { note_id: note } } }),
    ...settled,
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (text.trim()) add.mutate(text.trim());
  };
  return (
    <Card title={words.notes} about={words.notesWhat}>
      {detail.notes.length === 0 && <p className="muted">{words.noNotes}</p>}
      <ul className="stack">
        {detail.notes.map((note) => (
          <li key={note.note_id}>
            <p dir="auto">{note.text}</p>
            <p className="row muted">
              {note.agent}, {ago(note.at)}
              {note.mine && (
                <Button
                  kind="quiet"
                  onPress={() => remove.mutate(note.note_id)}
                  aria-label={`${words.delete}: ${note.text}`}
                >
                  {words.delete}
                </Button>
              )}
            </p>
          </li>
        ))}
      </ul>
      <form className="stack" onSubmit={submit}>
        <TextArea label={words.note} value={text} onChange={setText} maxLength={2000} rows={2} />
        <div className="row end">
          <Button type="submit" isDisabled={!text.trim() || add.isPending}>
            {words.keep}
          </Button>
        </div>
      </form>
    </Card>
  );
}

export function Side({
  detail,
  use,
}: {
  readonly detail: Detail;
  readonly use: ((text: string) => void) | undefined;
}): ReactNode {
  const words = useWords(INBOX_WORDS);
  const { handoff, member_id: member } = detail;
  return (
    <aside className="side-cards stack">
      <Card title={words.summary} actions={member && <Link to={`/customers/${member}`}>{words.profile}</Link>}>
        <ul>
          {handoff.summary.map((line) => (
            <li key={line} dir="auto">
              {line}
            </li>
          ))}
        </ul>
        {handoff.left.map((line) => (
          <p key={line} dir="auto">
            <strong>{words.left}:</strong> {line}
          </p>
        ))}
        {handoff.comment && <blockquote dir="auto">{handoff.comment}</blockquote>}
        <Mood detail={detail} />
      </Card>
      {use && <Suggestions detail={detail} use={use} />}
      <Notes detail={detail} />
    </aside>
  );
}

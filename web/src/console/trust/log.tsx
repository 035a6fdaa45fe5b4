/** The audit log: whether it is whole, and who did what when. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { useSearchParams } from "react-router";
import { type Answer, read } from "../client.ts";
import { Button, DataTable, Empty, Loaded, Period, Tag, TextField, usePeriod } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { TRUST_WORDS } from "./words.ts";

type Line = Answer<"/v1/trust/audit-log", "get">["lines"][number];

function Chain(): ReactNode {
  const words = useWords(TRUST_WORDS);
  const { count, ago } = useFormats();
  const query = useQuery({ queryKey: ["chain"], queryFn: () => read("/v1/trust/audit-log/chain") });
  return (
    <Loaded query={query} lines={1}>
      {(chain) =>
        chain.whole ? (
          <p>
            <Tag tone="good">✓</Tag> {words.whole(count(chain.lines))}{" "}
            <span className="muted">{words.checked(ago(chain.checked_at))}</span>
          </p>
        ) : (
          <div className="trouble" role="alert">
            <p>
              <strong>{words.broken}.</strong> {words.brokenWhat}
            </p>
            <ul>
              {chain.wrong.map((one) => (
                <li key={one}>{one}</li>
              ))}
            </ul>
          </div>
        )
      }
    </Loaded>
  );
}

/** Who it was: a name where there is one; a key as the log names it. */
function useWho(): (line: Line) => string {
  const words = useWords(TRUST_WORDS);
  return (line) => line.name ?? (line.actor.startsWith("staff ") ? words.deletedAccount : line.actor);
}

const told = (detail: Line["detail"]): string =>
  Object.entries(detail)
    .filter(([name]) => name !== "request_id")
    .map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join(", ") : String(value)}`)
    .join(" · ");

export function Log(): ReactNode {
  const words = useWords(TRUST_WORDS);
  const { time } = useFormats();
  const who = useWho();
  const [days, setDays] = usePeriod();
  const [search, setSearch] = useSearchParams();
  const asked = { who: search.get("who") ?? "", what: search.get("what") ?? "" };
  const [typed, type] = useState(asked);
  const query = useInfiniteQuery({
    queryKey: ["audit-log", asked.who, asked.what, days],
    queryFn: ({ pageParam }) =>
      read("/v1/trust/audit-log", { params: { query: { ...asked, ...days, cursor: pageParam } } }),
    initialPageParam: null as number | null,
    getNextPageParam: (last) => (last.next_cursor === null ? null : Number(last.next_cursor)),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setSearch(
      (was) => {
        was.set("who", typed.who.trim());
        was.set("what", typed.what.trim());
        return was;
      },
      { replace: true },
    );
  };
  return (
    <div className="stack">
      <Chain />
      <form className="row" onSubmit={submit}>
        <TextField
          label={words.who}
          help={words.whoHelp}
          value={typed.who}
          onChange={(value) => type({ ...typed, who: value })}
          maxLength={80}
        />
        <TextField
          label={words.what}
          help={words.whatHelp}
          value={typed.what}
          onChange={(value) => type({ ...typed, what: value })}
          maxLength={80}
        />
        <Button type="submit">{words.search}</Button>
      </form>
      <Period value={days} onChange={setDays} />
      <Loaded query={query} lines={8}>
        {({ pages }) => {
          const lines = pages.flatMap((page) => page.lines);
          if (lines.length === 0) return <Empty title={words.noLines}>{words.noLinesWhat}</Empty>;
          return (
            <DataTable
              caption={words.log}
              hideCaption
              csv="audit-log"
              rows={lines}
              rowKey={(line) => String(line.seq)}
              more={query.hasNextPage ? () => void query.fetchNextPage() : undefined}
              waiting={query.isFetchingNextPage}
              columns={[
                { key: "seq", title: words.number, value: (line) => line.seq, numeric: true },
                { key: "at", title: words.when, value: (line) => line.at, cell: (line) => time(line.at) },
                { key: "who", title: words.who, value: who, cell: (line) => <span dir="auto">{who(line)}</span> },
                {
                  key: "what",
                  title: words.what,
                  value: (line) => line.action,
                  cell: (line) => <code dir="ltr">{line.action}</code>,
                },
                {
                  key: "target",
                  title: words.target,
                  value: (line) => line.target,
                  cell: (line) => (
                    <code dir="ltr" title={line.target}>
                      {line.target.length > 14 ? `${line.target.slice(0, 13)}…` : line.target}
                    </code>
                  ),
                },
                {
                  key: "more",
                  title: words.more,
                  value: (line) => told(line.detail),
                  cell: (line) => (
                    <span dir="auto" className="told">
                      {told(line.detail)}
                    </span>
                  ),
                },
              ]}
            />
          );
        }}
      </Loaded>
    </div>
  );
}

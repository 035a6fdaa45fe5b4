/** How long what is kept, what was deleted, with receipts, and what other systems were to be told and never took. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { read } from "../client.ts";
import { Card, DataTable, Empty, Loaded, Tag, useHash } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { English } from "../told/told.tsx";
import { TRUST_WORDS } from "./words.ts";

function Schedule(): ReactNode {
  const words = useWords(TRUST_WORDS);
  const { count } = useFormats();
  const query = useQuery({ queryKey: ["retention"], queryFn: () => read("/v1/trust/retention") });
  return (
    <Loaded query={query}>
      {(schedule) => (
        <>
          <p className="muted">
            {words.scheduleOf(schedule.jurisdictions.map((one) => words.laws[one] ?? one).join(", "))}
          </p>
          <DataTable
            caption={words.schedule}
            hideCaption
            csv="retention"
            rows={schedule.terms}
            rowKey={(term) => term.kind}
            columns={[
              { key: "kind", title: words.kind, value: (term) => words.kinds[term.kind] ?? term.kind },
              {
                key: "days",
                title: words.term,
                value: (term) => term.days,
                cell: (term) => count(term.days),
                numeric: true,
              },
              {
                key: "since",
                title: words.since,
                value: (term) => term.since,
                cell: (term) => words.sinces[term.since] ?? <English>{term.since}</English>,
              },
              { key: "purpose", title: words.purpose, value: (term) => words.purposes[term.purpose] ?? term.purpose },
              {
                key: "law",
                title: words.law,
                value: (term) => term.law || "–",
                cell: (term) => <English>{term.law || "–"}</English>,
              },
            ]}
          />
        </>
      )}
    </Loaded>
  );
}

const told = (deleted: Readonly<Record<string, number>>): string =>
  Object.entries(deleted)
    .filter(([, rows]) => rows > 0)
    .map(([name, rows]) => `${name}: ${rows}`)
    .join(" · ");

function Deletions(): ReactNode {
  const words = useWords(TRUST_WORDS);
  const { time, count } = useFormats();
  const query = useInfiniteQuery({
    queryKey: ["jobs"],
    queryFn: ({ pageParam }) => read("/v1/trust/jobs", { params: { query: { cursor: pageParam } } }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
  });
  return (
    <Loaded query={query} lines={6}>
      {({ pages }) => {
        const jobs = pages.flatMap((page) => page.jobs);
        if (jobs.length === 0) return <Empty title={words.noJobs}>{words.noJobsWhat}</Empty>;
        return (
          <DataTable
            caption={words.deletions}
            hideCaption
            csv="deletions"
            rows={jobs}
            rowKey={(job) => job.receipt_id}
            more={query.hasNextPage ? () => void query.fetchNextPage() : undefined}
            waiting={query.isFetchingNextPage}
            columns={[
              { key: "at", title: words.when, value: (job) => job.at, cell: (job) => time(job.at) },
              { key: "scope", title: words.why, value: (job) => words.scopes[job.scope] ?? job.scope },
              {
                key: "rows",
                title: words.rows,
                value: (job) => job.total,
                cell: (job) => count(job.total),
                numeric: true,
              },
              { key: "what", title: words.details, value: (job) => told(job.deleted) },
              {
                key: "left",
                title: words.left,
                value: (job) => job.due_and_left,
                cell: (job) =>
                  job.due_and_left === null ? (
                    "–"
                  ) : (
                    <Tag tone={job.due_and_left === 0 ? "good" : "bad"}>{count(job.due_and_left)}</Tag>
                  ),
                numeric: true,
              },
              {
                key: "receipt",
                title: words.receipt,
                value: (job) => job.receipt_id,
                cell: (job) => <code dir="ltr">{job.receipt_id}</code>,
              },
            ]}
          />
        );
      }}
    </Loaded>
  );
}

function Undelivered(): ReactNode {
  const words = useWords(TRUST_WORDS);
  const { time, count } = useFormats();
  const query = useInfiniteQuery({
    queryKey: ["undelivered"],
    queryFn: ({ pageParam }) => read("/v1/trust/deliveries", { params: { query: { cursor: pageParam } } }),
    initialPageParam: null as number | null,
    getNextPageParam: (last) => (last.next_cursor === null ? null : Number(last.next_cursor)),
  });
  useHash(query.data !== undefined);
  return (
    <Loaded query={query} lines={3}>
      {({ pages }) => {
        const rows = pages.flatMap((page) => page.deliveries);
        if (rows.length === 0) return <Empty title={words.allDelivered}>{words.allDeliveredWhat}</Empty>;
        return (
          <DataTable
            caption={words.undelivered}
            hideCaption
            csv="not-delivered"
            rows={rows}
            rowKey={(row) => String(row.delivery)}
            more={query.hasNextPage ? () => void query.fetchNextPage() : undefined}
            waiting={query.isFetchingNextPage}
            columns={[
              { key: "ended", title: words.givenUp, value: (row) => row.ended_at, cell: (row) => time(row.ended_at) },
              { key: "endpoint", title: words.endpoint, value: (row) => row.endpoint },
              {
                key: "topic",
                title: words.topic,
                value: (row) => row.topic,
                cell: (row) => <code dir="ltr">{row.topic}</code>,
              },
              {
                key: "attempts",
                title: words.attempts,
                value: (row) => row.attempts,
                cell: (row) => count(row.attempts),
                numeric: true,
              },
              {
                key: "answer",
                title: words.lastAnswer,
                value: (row) => row.answer ?? "–",
                cell: (row) => <English>{row.answer ?? "–"}</English>,
              },
            ]}
          />
        );
      }}
    </Loaded>
  );
}

export function Jobs(): ReactNode {
  const words = useWords(TRUST_WORDS);
  return (
    <div className="grid">
      <Card title={words.deletions} wide>
        <Deletions />
      </Card>
      <div id="undelivered" className="wide" tabIndex={-1}>
        <Card title={words.undelivered} about={words.undeliveredAbout} wide>
          <Undelivered />
        </Card>
      </div>
      <Card title={words.schedule} wide>
        <Schedule />
      </Card>
    </div>
  );
}

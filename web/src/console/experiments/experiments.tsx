/** All experiments, and where each stands. */
import { useInfiniteQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { type Answer, read } from "../client.ts";
import { ButtonLink, DataTable, Empty, Loaded, Page, Tag } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { EXPERIMENT_WORDS } from "./words.ts";

export type Experiment = Answer<"/v1/experiments", "get">["experiments"][number];

export function State({ status }: { readonly status: string }): ReactNode {
  const words = useWords(EXPERIMENT_WORDS);
  return <Tag tone={status === "running" ? "good" : "plain"}>{words.states[status] ?? status}</Tag>;
}

export default function Experiments(): ReactNode {
  const words = useWords(EXPERIMENT_WORDS);
  const { day } = useFormats();
  const query = useInfiniteQuery({
    queryKey: ["experiments"],
    queryFn: ({ pageParam }) => read("/v1/experiments", { params: { query: pageParam ? { cursor: pageParam } : {} } }),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
  const empty = query.data?.pages[0]?.experiments.length === 0;
  const create = (name: string): ReactNode => (
    <ButtonLink kind="main" to="/experiments/new">
      {name}
    </ButtonLink>
  );
  return (
    <Page title={words.title} about={words.about} actions={empty ? undefined : create(words.create)}>
      <Loaded query={query}>
        {(data) =>
          empty ? (
            <Empty title={words.none} action={create(words.first)}>
              {words.noneAbout}
            </Empty>
          ) : (
            <DataTable
              caption={words.list}
              rows={data.pages.flatMap((page) => page.experiments)}
              more={query.hasNextPage ? () => void query.fetchNextPage() : undefined}
              waiting={query.isFetchingNextPage}
              rowKey={(one) => one.experiment_id}
              csv="experiments"
              columns={[
                {
                  key: "name",
                  title: words.name,
                  value: (one) => one.experiment_id,
                  cell: (one) => (
                    <>
                      <Link to={`/experiments/${one.experiment_id}`}>{one.experiment_id}</Link>
                      <small className="help">
                        <bdi>{one.hypothesis}</bdi>
                      </small>
                    </>
                  ),
                },
                {
                  key: "state",
                  title: words.state,
                  value: (one) => one.status,
                  cell: (one) => <State status={one.status} />,
                },
                { key: "measure", title: words.measure, value: (one) => words.metrics[one.metric] ?? one.metric },
                { key: "design", title: words.design, value: (one) => words.designs[one.design]?.[0] ?? one.design },
                {
                  key: "started",
                  title: words.started,
                  value: (one) => one.started_at,
                  cell: (one) => (one.started_at ? day(one.started_at) : "–"),
                },
              ]}
            />
          )
        }
      </Loaded>
    </Page>
  );
}

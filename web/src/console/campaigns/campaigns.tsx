/** All campaigns, and where each stands. */
import { useInfiniteQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { type Answer, read } from "../client.ts";
import { ButtonLink, type Column, DataTable, Empty, Loaded, Page, Tag, type Tone } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { CAMPAIGN_WORDS } from "./words.ts";

export type Campaign = Answer<"/v1/campaigns/{campaign_id}", "get">;
const TONES: Record<Campaign["state"], Tone> = {
  draft: "plain",
  approved: "warn",
  running: "good",
  paused: "warn",
  ended: "plain",
};

export function State({ state }: { readonly state: Campaign["state"] }): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  return <Tag tone={TONES[state]}>{words.states[state]}</Tag>;
}

function useColumns(): readonly Column<Campaign>[] {
  const words = useWords(CAMPAIGN_WORDS);
  const { currency, utcDay } = useFormats();
  const spent = (one: Campaign): number => one.spent?.minor_units ?? 0;
  return [
    {
      key: "name",
      title: words.name,
      value: (one) => one.name,
      cell: (one) => <Link to={`/campaigns/${one.campaign_id}`}>{one.name}</Link>,
    },
    { key: "state", title: words.state, value: (one) => one.state, cell: (one) => <State state={one.state} /> },
    { key: "goal", title: words.goal, value: (one) => words.goals[one.objective]?.[0] ?? one.objective },
    {
      key: "runs",
      title: words.runs,
      value: (one) => one.starts_at,
      cell: (one) => words.period(utcDay(one.starts_at), utcDay(one.ends_at)),
    },
    {
      key: "spent",
      title: words.spent,
      value: spent,
      money: currency,
      numeric: true,
    },
    {
      key: "budget",
      title: words.budget,
      value: (one) => one.budget.minor_units,
      money: currency,
      numeric: true,
    },
    { key: "author", title: words.author, value: (one) => one.author },
  ];
}

export default function Campaigns(): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const columns = useColumns();
  const pages = useInfiniteQuery({
    queryKey: ["campaigns"],
    queryFn: ({ pageParam }) => read("/v1/campaigns", { params: { query: pageParam ? { cursor: pageParam } : {} } }),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
  const create = (
    <ButtonLink kind="main" to="/campaigns/new">
      {words.create}
    </ButtonLink>
  );
  const empty = pages.data?.pages[0]?.campaigns.length === 0;
  return (
    <Page title={words.title} about={words.about} actions={empty ? undefined : create}>
      <Loaded query={pages}>
        {(data) =>
          empty ? (
            <Empty
              title={words.none}
              action={
                <ButtonLink kind="main" to="/campaigns/new">
                  {words.first}
                </ButtonLink>
              }
            >
              {words.noneAbout}
            </Empty>
          ) : (
            <DataTable
              caption={words.list}
              columns={columns}
              rows={data.pages.flatMap((page) => page.campaigns)}
              rowKey={(one) => one.campaign_id}
              csv="campaigns"
              more={pages.hasNextPage ? () => void pages.fetchNextPage() : undefined}
              waiting={pages.isFetchingNextPage}
            />
          )
        }
      </Loaded>
    </Page>
  );
}

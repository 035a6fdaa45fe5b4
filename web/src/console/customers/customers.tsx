/** Members, looked for by name, number or whole address, by segment and by risk. What is asked stands in the address. */
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { type Answer, read, readAll } from "../client.ts";
import { Button, Choice, type Column, DataTable, Empty, Loaded, Page, Search, Tag, type Tone } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { useSegmentNames } from "../told/names.ts";
import "./customers.css";
import { CUSTOMER_WORDS } from "./words.ts";

type Row = Answer<"/v1/members/search", "get">["members"][number];

const PAUSE_MS = 250;
const ANY = "any";
export const RISK: Readonly<Record<string, Tone>> = { low: "good", medium: "warn", high: "bad" };

/** What is typed is asked for after a short pause; what is asked otherwise (cleared, by the way back) stands in the field. */
export function useTyped(value: string, ask: (value: string) => void): readonly [string, (value: string) => void] {
  const [typed, setTyped] = useState(value);
  const before = useRef(value);
  const asked = useRef(value); // by typing
  useEffect(() => {
    const moved = value !== before.current;
    before.current = value;
    if (moved && value !== asked.current) {
      asked.current = value;
      setTyped(value);
      return undefined;
    }
    if (typed === value) return undefined;
    const timer = setTimeout(() => {
      asked.current = typed;
      ask(typed);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, value, ask]);
  return [typed, setTyped];
}

function useColumns(): readonly Column<Row>[] {
  const words = useWords(CUSTOMER_WORDS);
  const named = useSegmentNames();
  const { count, day, currency } = useFormats();
  return [
    {
      key: "name",
      title: words.name,
      value: (row) => row.display_name,
      cell: (row) => <Link to={`/customers/${row.member_id}`}>{row.display_name}</Link>,
    },
    { key: "number", title: words.number, value: (row) => row.external_id ?? words.none },
    {
      key: "segment",
      title: words.segment,
      value: (row) => row.segment,
      cell: (row) => (row.consented ? row.segment ? named(row.segment) : words.none : <Tag>{words.noConsent}</Tag>),
    },
    {
      key: "risk",
      title: words.risk,
      value: (row) => row.risk,
      cell: (row) => (row.risk ? <Tag tone={RISK[row.risk] ?? "plain"}>{words.risks[row.risk]}</Tag> : words.none),
    },
    {
      key: "expected",
      title: words.expected,
      numeric: true,
      value: (row) => row.expected_spend?.minor_units ?? null,
      money: currency,
      cell: (row) => row.expected_spend?.text ?? words.none,
    },
    {
      key: "orders",
      title: words.orders,
      numeric: true,
      value: (row) => row.orders,
      cell: (row) => row.orders ?? words.none,
    },
    {
      key: "last",
      title: words.last,
      numeric: true,
      value: (row) => row.recency_days,
      cell: (row) =>
        row.recency_days === null || row.orders === 0 ? words.none : words.daysAgo(count(row.recency_days)),
    },
    { key: "since", title: words.since, value: (row) => row.created_at, cell: (row) => day(row.created_at) },
  ];
}

function Filters(): ReactNode {
  const words = useWords(CUSTOMER_WORDS);
  const [search, setSearch] = useSearchParams();
  const called = useSegmentNames();
  const segments = useQuery({ queryKey: ["segments"], queryFn: () => readAll("/v1/segments", "segments") });
  const set = (name: string, value: string): void =>
    setSearch(
      (was) => {
        if (value && value !== ANY) was.set(name, value);
        else was.delete(name);
        return was;
      },
      { replace: true },
    );
  const [typed, setTyped] = useTyped(search.get("q") ?? "", (value) => set("q", value));
  const named = (segments.data?.segments ?? []).map(({ segment_id: id, name }) => ({ id, name: called(name) }));
  return (
    <search className="filters">
      <div>
        <Search label={words.search} value={typed} onChange={setTyped} placeholder={words.placeholder} />
        <small className="help">{words.searchHelp}</small>
      </div>
      <Choice
        label={words.segment}
        value={search.get("segment") ?? ANY}
        onChange={(value) => set("segment", value)}
        options={[{ id: ANY, name: words.any }, ...named]}
      />
      <Choice
        label={words.risk}
        value={search.get("churn") ?? ANY}
        onChange={(value) => set("churn", value)}
        options={[
          { id: ANY, name: words.any },
          ...["high", "medium", "low"].map((id) => ({ id, name: words.risks[id] ?? id })),
        ]}
      />
    </search>
  );
}

export default function CustomersPage(): ReactNode {
  const words = useWords(CUSTOMER_WORDS);
  const [search, setSearch] = useSearchParams();
  const columns = useColumns();
  const asked = ["q", "segment", "churn", "label"].flatMap((name) => {
    const value = search.get(name);
    return value ? [[name, value] as const] : [];
  });
  const query = useInfiniteQuery({
    queryKey: ["members", asked],
    initialPageParam: "",
    queryFn: ({ pageParam }) =>
      read("/v1/members/search", {
        params: { query: { ...Object.fromEntries(asked), ...(pageParam ? { cursor: pageParam } : {}) } },
      }),
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  });
  const clear = <Button onPress={() => setSearch({}, { replace: true })}>{words.clear}</Button>;
  return (
    <Page title={words.title} about={words.about}>
      <div className="stack">
        <Filters />
        <Loaded query={query} lines={10}>
          {({ pages }) => {
            const rows = pages.flatMap(({ members }) => members);
            if (rows.length === 0)
              return asked.length > 0 ? (
                <Empty title={words.nobody} action={clear}>
                  {words.nobodyWhat}
                </Empty>
              ) : (
                <Empty title={words.empty}>{words.emptyWhat}</Empty>
              );
            return (
              <DataTable
                caption={words.found}
                hideCaption
                columns={columns}
                rows={rows}
                rowKey={(row) => row.member_id}
                csv="customers"
                more={query.hasNextPage ? () => void query.fetchNextPage() : undefined}
                waiting={query.isFetchingNextPage}
              />
            );
          }}
        </Loaded>
      </div>
    </Page>
  );
}

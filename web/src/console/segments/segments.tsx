/** Segments: a list with their rules and sizes, the map, sizes over time, and two side by side. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { onlyIf, readAll, send } from "../client.ts";
import {
  Button,
  ButtonLink,
  Confirm,
  DataTable,
  Empty,
  Loaded,
  Page,
  Tabs,
  Tag,
  useFailed,
  useToast,
} from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { useSession } from "../session.tsx";
import { useSegmentNames } from "../told/names.ts";
import { useRules } from "../told/rules.ts";
import { English } from "../told/told.tsx";
import { Compare } from "./compare.tsx";
import { SegmentMap, Sizes } from "./pictures.tsx";
import type { Segment, Segments } from "./rule.ts";
import "./segments.css";
import { SEGMENT_WORDS } from "./words.ts";

function Acts({ segment }: { readonly segment: Segment }): ReactNode {
  const words = useWords(SEGMENT_WORDS);
  const tell = useToast();
  const queries = useQueryClient();
  const path = { params: { path: { segment_id: segment.segment_id }, header: onlyIf(segment.etag ?? "*") } };
  const remove = useMutation({
    mutationFn: () => send("delete", "/v1/segments/{segment_id}", path),
    onSuccess: () => tell(words.removed),
    onError: useFailed(),
    onSettled: () => queries.invalidateQueries({ queryKey: ["segments"] }),
  });
  return (
    <div className="row">
      <Link to={`/segments/${segment.segment_id}/edit`} aria-label={`${words.edit}: ${segment.name}`}>
        {words.edit}
      </Link>
      <Confirm
        title={words.removeTitle(segment.name)}
        verb={words.remove}
        onConfirm={() => remove.mutate()}
        opener={
          <Button kind="quiet" aria-label={`${words.remove}: ${segment.name}`}>
            {words.remove}
          </Button>
        }
      >
        <p>{words.removeWhat}</p>
      </Confirm>
    </div>
  );
}

function List({ told }: { readonly told: Segments }): ReactNode {
  const words = useWords(SEGMENT_WORDS);
  const ruled = useRules();
  const { count, share, number } = useFormats();
  const { may } = useSession();
  if (told.segments.length === 0) return <Empty title={words.noSegments}>{words.noSegmentsWhat}</Empty>;
  return (
    <div className="stack">
      <DataTable
        caption={words.all}
        hideCaption
        rows={told.segments}
        rowKey={(row) => row.segment_id}
        csv="segments"
        columns={[
          {
            key: "name",
            title: words.name,
            value: (row) => row.name,
            cell: (row) => (
              <Link to={`/customers?segment=${row.segment_id}`} aria-label={`${words.show}: ${row.name}`}>
                {row.name}
              </Link>
            ),
          },
          {
            key: "kind",
            title: words.kind,
            value: (row) => row.kind,
            cell: (row) => <Tag>{row.kind === "own" ? words.own : words.trained}</Tag>,
          },
          {
            key: "members",
            title: words.members,
            value: (row) => row.members,
            cell: (row) => count(row.members),
            numeric: true,
          },
          {
            key: "share",
            title: words.share,
            value: (row) => row.share,
            cell: (row) => share(row.share, 0),
            numeric: true,
          },
          {
            key: "who",
            title: words.who,
            value: (row) => row.sentence,
            cell: (row) => (
              <div className="rule-of">
                {row.kind === "own" && row.description && <p>{row.description}</p>}
                <span className="muted">{ruled(row, told.segments) ?? <English>{row.sentence}</English>}</span>
              </div>
            ),
          },
          {
            key: "acts",
            title: words.acts,
            cell: (row) => (row.kind === "own" && may("members:write") ? <Acts segment={row} /> : words.none),
          },
        ]}
      />
      {told.stability !== null && told.rules_accuracy !== null && (
        <p className="muted">{words.stability(number(told.stability, 2), share(told.rules_accuracy, 0))}</p>
      )}
    </div>
  );
}

export default function SegmentsPage(): ReactNode {
  const words = useWords(SEGMENT_WORDS);
  const { may } = useSession();
  const named = useSegmentNames();
  const query = useQuery({ queryKey: ["segments"], queryFn: () => readAll("/v1/segments", "segments") });
  const build = may("members:write") && (
    <ButtonLink kind="main" to="/segments/new">
      {words.build}
    </ButtonLink>
  );
  return (
    <Page
      title={words.title}
      about={may("members:write") ? words.about : `${words.about} ${words.readOnly}`}
      actions={build}
    >
      <Loaded query={query} lines={10}>
        {(found) => {
          const told = { ...found, segments: found.segments.map((one) => ({ ...one, name: named(one.name) })) };
          return (
            <Tabs
              label={words.parts}
              parts={[
                { id: "all", name: words.all, content: () => <List told={told} /> },
                { id: "map", name: words.map, content: () => <SegmentMap segments={told.segments} /> },
                { id: "sizes", name: words.sizes, content: () => <Sizes segments={told.segments} /> },
                { id: "compare", name: words.compare, content: () => <Compare segments={told.segments} /> },
              ]}
            />
          );
        }}
      </Loaded>
    </Page>
  );
}

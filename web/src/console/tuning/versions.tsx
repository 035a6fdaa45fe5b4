/** Versions of the dials: proposed, applied, refused, and gone back to. */
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { type Answer, onlyIf, read, send } from "../client.ts";
import { Button, Card, Confirm, DataTable, Empty, Loaded, Tag, useFailed, useToast } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import type { Now } from "./dials.tsx";
import { TUNING_WORDS } from "./words.ts";

type Version = Answer<"/v1/tuning/versions", "get">["versions"][number];
type Verb = "apply" | "refuse" | "restore";

function useActing(now: Now): { act: (verb: Verb, version: number) => void; busy: boolean } {
  const words = useWords(TUNING_WORDS);
  const queries = useQueryClient();
  const tell = useToast();
  const acting = useMutation({
    mutationFn: ({ verb, version }: { verb: Verb; version: number }) => {
      const path = { version };
      if (verb === "apply") return send("post", "/v1/tuning/versions/{version}/apply", { params: { path } });
      if (verb === "refuse") return send("post", "/v1/tuning/versions/{version}/refuse", { params: { path } });
      const header = onlyIf(`"tuning-${now.current.version}"`);
      return send("post", "/v1/tuning/versions/{version}/restore", { params: { path, header } });
    },
    onSuccess: (_, { verb }) => tell({ apply: words.applied, refuse: words.refused, restore: words.restored }[verb]),
    onError: useFailed(),
    onSettled: () => void queries.invalidateQueries({ queryKey: ["tuning"] }),
  });
  return { act: (verb, version) => acting.mutate({ verb, version }), busy: acting.isPending };
}

function Change({ change }: { readonly change: Version["change"] }): ReactNode {
  const words = useWords(TUNING_WORDS);
  const names = Object.keys(change).map((name) => words.names[name]?.[0] ?? name);
  return <>{names.length > 0 ? names.join(", ") : words.same}</>;
}

export function Versions({ now }: { readonly now: Now }): ReactNode {
  const words = useWords(TUNING_WORDS);
  const { time } = useFormats();
  const { act, busy } = useActing(now);
  const pages = useInfiniteQuery({
    queryKey: ["tuning", "versions"],
    queryFn: ({ pageParam }) =>
      read("/v1/tuning/versions", { params: { query: pageParam ? { cursor: Number(pageParam) } : {} } }),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
  const back = (version: number): ReactNode => (
    <Confirm
      opener={<Button isDisabled={busy}>{words.restore}</Button>}
      title={words.restoreAsk(version)}
      verb={words.restore}
      kind="main"
      onConfirm={() => act("restore", version)}
    >
      {words.restoreAbout}
    </Confirm>
  );
  const actions = (one: Version): ReactNode => (
    <div className="row">
      {one.may_apply && (
        <Button kind="main" isDisabled={busy} onPress={() => act("apply", one.version)}>
          {words.apply}
        </Button>
      )}
      {one.state === "proposed" && (
        <Button isDisabled={busy} onPress={() => act("refuse", one.version)}>
          {words.refuse}
        </Button>
      )}
      {one.state === "applied" && one.version !== now.current.version && back(one.version)}
    </div>
  );
  return (
    <Card
      title={words.versions}
      about={words.versionsAbout}
      wide
      actions={
        now.current.version !== 0 && (
          <Confirm
            opener={<Button kind="quiet">{words.shipped}</Button>}
            title={words.restoreAsk(0)}
            verb={words.restore}
            kind="main"
            onConfirm={() => act("restore", 0)}
          >
            {words.restoreAbout}
          </Confirm>
        )
      }
    >
      <Loaded query={pages}>
        {(data) =>
          data.pages[0]?.versions.length === 0 ? (
            <Empty title={words.noVersions}>{words.noVersionsAbout}</Empty>
          ) : (
            <DataTable
              caption={words.versions}
              hideCaption
              rows={data.pages.flatMap((page) => page.versions)}
              rowKey={(one) => String(one.version)}
              csv="tuning-versions"
              more={pages.hasNextPage ? () => void pages.fetchNextPage() : undefined}
              waiting={pages.isFetchingNextPage}
              columns={[
                { key: "version", title: words.version, value: (one) => one.version, numeric: true },
                {
                  key: "state",
                  title: words.state,
                  value: (one) => one.state,
                  cell: (one) =>
                    one.version === now.current.version ? (
                      <Tag tone="good">{words.counts}</Tag>
                    ) : (
                      <Tag tone={one.state === "proposed" ? "warn" : "plain"}>{words.states[one.state]}</Tag>
                    ),
                },
                { key: "why", title: words.why, value: (one) => one.note },
                { key: "what", title: words.what, cell: (one) => <Change change={one.change} /> },
                { key: "by", title: words.by, value: (one) => one.author },
                { key: "decided", title: words.decidedBy, value: (one) => one.decided_by },
                { key: "when", title: words.when, value: (one) => one.at, cell: (one) => (one.at ? time(one.at) : "") },
                { key: "act", title: "", cell: actions },
              ]}
            />
          )
        }
      </Loaded>
    </Card>
  );
}

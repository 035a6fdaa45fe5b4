/** Versions of the policy, and the way back to one. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { read, send } from "../client.ts";
import { Button, Card, DataTable, Loaded, Tag, useFailed, useToast } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { DISPLAY_WORDS } from "./words.ts";

export function History({ now }: { readonly now: number }): ReactNode {
  const words = useWords(DISPLAY_WORDS);
  const { time } = useFormats();
  const queries = useQueryClient();
  const tell = useToast();
  const query = useQuery({
    queryKey: ["display-policy", "versions", now],
    queryFn: () => read("/v1/display-policy/versions"),
  });
  const restore = useMutation({
    mutationFn: (version: number) =>
      send("post", "/v1/display-policy/versions/{version}/restore", {
        params: { path: { version }, header: { "if-match": `"display-policy-${now}"` } },
      }),
    onSuccess: ({ version }) => tell(words.saved(version)),
    onError: useFailed(),
    onSettled: () => queries.invalidateQueries({ queryKey: ["display-policy"] }),
  });
  return (
    <Card title={words.history}>
      <Loaded query={query}>
        {({ versions }) =>
          versions.length === 0 ? (
            <p className="muted" data-testid="display-empty">
              {words.empty}
            </p>
          ) : (
            <DataTable
              caption={words.history}
              hideCaption
              csv="display-policy-versions"
              rows={versions}
              rowKey={(one) => String(one.version)}
              columns={[
                { key: "version", title: words.version, value: (one) => one.version, numeric: true },
                {
                  key: "note",
                  title: words.note,
                  value: (one) => one.note,
                  cell: (one) => (
                    <>
                      <bdi>{one.note}</bdi> {one.restored && <span className="muted">{words.again(one.restored)}</span>}
                    </>
                  ),
                },
                { key: "by", title: words.by, value: (one) => one.author },
                { key: "at", title: words.when, value: (one) => one.at, cell: (one) => one.at && time(one.at) },
                {
                  key: "restore",
                  title: words.restore,
                  cell: (one) =>
                    one.version === now ? (
                      <Tag tone="good">{words.inUse}</Tag>
                    ) : (
                      <Button
                        aria-label={words.restoreLabel(one.version)}
                        data-testid={`restore-${one.version}`}
                        isDisabled={restore.isPending}
                        onPress={() => restore.mutate(one.version)}
                      >
                        {words.restore}
                      </Button>
                    ),
                },
              ]}
            />
          )
        }
      </Loaded>
    </Card>
  );
}

/** What a member agreed to, where they are signed in, and their rights: export and erasure. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useNavigate } from "react-router";
import { read, send } from "../client.ts";
import { Button, Card, Confirm, DataTable, download, Empty, Loaded, Tag, useFailed, useToast } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { useSession } from "../session.tsx";
import type { Member } from "./labels.tsx";
import { CUSTOMER_WORDS } from "./words.ts";

function Consents({ member }: { readonly member: Member }): ReactNode {
  const words = useWords(CUSTOMER_WORDS);
  const { day } = useFormats();
  return (
    <Card title={words.consents} wide>
      <DataTable
        caption={words.consents}
        hideCaption
        rows={member.consents}
        rowKey={(row) => row.purpose}
        csv="consents"
        columns={[
          { key: "purpose", title: words.purpose, value: (row) => words.purposes[row.purpose] ?? row.purpose },
          {
            key: "state",
            title: words.state,
            value: (row) => row.granted,
            cell: (row) => (
              <Tag tone={row.granted ? "good" : "plain"}>
                {row.granted ? words.granted : row.since ? words.notGranted : words.never}
              </Tag>
            ),
          },
          {
            key: "since",
            title: words.consentSince,
            value: (row) => row.since,
            cell: (row) => (row.since ? day(row.since) : words.none),
          },
          {
            key: "channel",
            title: words.consentChannel,
            value: (row) => (row.channel ? (words.channels[row.channel] ?? row.channel) : words.none),
          },
          {
            key: "expires",
            title: words.expires,
            value: (row) => row.expires_at,
            cell: (row) => (row.expires_at ? day(row.expires_at) : words.none),
          },
        ]}
      />
    </Card>
  );
}

function Sessions({ member }: { readonly member: Member }): ReactNode {
  const words = useWords(CUSTOMER_WORDS);
  const { may } = useSession();
  const { time } = useFormats();
  const tell = useToast();
  const failed = useFailed();
  const queries = useQueryClient();
  const key = ["member", member.member_id, "sessions"];
  const path = { params: { path: { member_id: member.member_id } } };
  const query = useQuery({ queryKey: key, queryFn: () => read("/v1/members/{member_id}/sessions", path) });
  const end = useMutation({
    mutationFn: () => send("delete", "/v1/members/{member_id}/sessions", path),
    onSuccess: ({ ended }) => tell(words.sessionsEnded(ended)),
    onError: failed,
    onSettled: () => queries.invalidateQueries({ queryKey: key }),
  });
  const endAll = may("members:write") && (query.data?.sessions.length ?? 0) > 0 && (
    <Confirm
      title={words.endSessionsTitle(member.display_name)}
      verb={words.endSessions}
      onConfirm={() => end.mutate()}
      opener={<Button isDisabled={end.isPending}>{words.endSessions}</Button>}
    >
      <p>{words.endSessionsWhat}</p>
    </Confirm>
  );
  return (
    <Card title={words.sessions} about={words.sessionsAbout} wide actions={endAll}>
      <Loaded query={query}>
        {({ sessions }) =>
          sessions.length === 0 ? (
            <Empty title={words.noSessions} />
          ) : (
            <DataTable
              caption={words.sessions}
              hideCaption
              rows={sessions}
              rowKey={(row) => row.session_id}
              columns={[
                {
                  key: "started",
                  title: words.sessionStarted,
                  value: (row) => row.started_at,
                  cell: (row) => time(row.started_at),
                },
                {
                  key: "renewed",
                  title: words.sessionRenewed,
                  value: (row) => row.renewed_at,
                  cell: (row) => time(row.renewed_at),
                },
                {
                  key: "expires",
                  title: words.sessionExpires,
                  value: (row) => row.expires_at,
                  cell: (row) => time(row.expires_at),
                },
              ]}
            />
          )
        }
      </Loaded>
    </Card>
  );
}

export function Rights({ member }: { readonly member: Member }): ReactNode {
  const words = useWords(CUSTOMER_WORDS);
  const { may } = useSession();
  const tell = useToast();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const failed = useFailed();
  const path = { params: { path: { member_id: member.member_id } } };
  const save = useMutation({
    mutationFn: () => read("/v1/members/{member_id}/export", path),
    onSuccess: (told) => {
      download(`member-${member.member_id}.json`, JSON.stringify(told, null, 1), "application/json");
      tell(words.exported);
    },
    onError: failed,
  });
  const erase = useMutation({
    mutationFn: () => send("post", "/v1/members/{member_id}/erase", path),
    onSuccess: (receipt) => {
      queries.removeQueries({ queryKey: ["member", member.member_id] });
      void queries.invalidateQueries({ queryKey: ["members"] });
      tell(words.erased(receipt.receipt_id));
      void navigate("/customers");
    },
    onError: failed,
  });
  return (
    <div className="grid">
      <Consents member={member} />
      <Sessions member={member} />
      <Card title={words.rights} wide>
        {!may("export") && !may("erase") && <Empty title={words.rightsNone} />}
        {may("export") && (
          <div className="right">
            <p className="muted">{words.exportWhat}</p>
            <Button onPress={() => save.mutate()} isDisabled={save.isPending}>
              {words.export}
            </Button>
          </div>
        )}
        {may("erase") && (
          <div className="right">
            <p className="muted">{words.eraseWhat}</p>
            <Confirm
              title={words.eraseTitle(member.display_name)}
              verb={words.erase}
              onConfirm={() => erase.mutate()}
              opener={
                <Button kind="danger" isDisabled={erase.isPending}>
                  {words.erase}
                </Button>
              }
            >
              <p>{words.eraseWhat}</p>
            </Confirm>
          </div>
        )}
      </Card>
    </div>
  );
}

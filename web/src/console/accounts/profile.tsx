/** Your own account: name, password, passkeys, sessions. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { ApiError } from "../../api/http.ts";
import { type Answer, read, send } from "../client.ts";
import {
  Button,
  Card,
  Confirm,
  DataTable,
  Empty,
  Loaded,
  Page,
  Tag,
  TextField,
  useFailed,
  useSaid,
  useToast,
} from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { useSession } from "../session.tsx";
import { makePasskey } from "../shell/passkey.ts";
import { weakness } from "../shell/weak.ts";
import { SHELL_WORDS } from "../shell/words.ts";
import { ACCOUNTS_WORDS } from "./words.ts";

type Passkey = Answer<"/v1/session/passkeys", "get">["passkeys"][number];
const PASSKEYS = ["own-passkeys"];
const SESSIONS = ["own-sessions"];

function Wrong({ error }: { readonly error: Error | null }): ReactNode {
  const words = useWords(ACCOUNTS_WORDS);
  const { weak } = useWords(SHELL_WORDS);
  const { leave } = useSession();
  const said = useSaid();
  if (!error || error instanceof DOMException) return null;
  const old = error instanceof ApiError && error.problem.code === "sign-in-again";
  return (
    <div role="alert" className="row">
      <p className="react-aria-FieldError">{weakness(error, weak) ?? said(error)}</p>
      {old && <Button onPress={() => void leave()}>{words.signInAgain}</Button>}
    </div>
  );
}

function Name(): ReactNode {
  const words = useWords(ACCOUNTS_WORDS);
  const { session, look } = useSession();
  const tell = useToast();
  const [name, setName] = useState(session?.name ?? "");
  const save = useMutation({
    mutationFn: () => send("patch", "/v1/session", { body: { name: name.trim() } }),
    onSuccess: () => {
      tell(words.saved);
      return look();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (name.trim()) save.mutate();
  };
  return (
    <Card title={words.yourName}>
      <form className="stack" onSubmit={submit}>
        <TextField label={words.name} help={words.nameHelp} value={name} onChange={setName} maxLength={64} required />
        <Wrong error={save.error} />
        <div className="row end">
          <Button type="submit" isDisabled={!name.trim() || name === session?.name || save.isPending}>
            {words.save}
          </Button>
        </div>
      </form>
    </Card>
  );
}

function Password(): ReactNode {
  const words = useWords(ACCOUNTS_WORDS);
  const { session, look } = useSession();
  const queries = useQueryClient();
  const tell = useToast();
  const [now, setNow] = useState("");
  const [next, setNext] = useState("");
  const save = useMutation({
    mutationFn: () => send("post", "/v1/session/password", { body: { password: now, new_password: next } }),
    onSuccess: async () => {
      tell(words.changed);
      setNow("");
      setNext("");
      await queries.invalidateQueries({ queryKey: SESSIONS });
      await look();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (now && next) save.mutate();
  };
  if (!session?.has_password)
    return (
      <Card title={words.password}>
        <p className="muted">{words.noPassword}</p>
      </Card>
    );
  return (
    <Card title={words.password}>
      <form className="stack" onSubmit={submit}>
        <TextField
          label={words.passwordNow}
          type="password"
          autoComplete="current-password"
          value={now}
          onChange={setNow}
          required
        />
        <TextField
          label={words.passwordNew}
          help={words.passwordHelp}
          type="password"
          autoComplete="new-password"
          value={next}
          onChange={setNext}
          required
        />
        <Wrong error={save.error} />
        <div className="row end">
          <Button type="submit" isDisabled={!now || !next || save.isPending}>
            {words.change}
          </Button>
        </div>
      </form>
    </Card>
  );
}

function OnePasskey({ passkey }: { readonly passkey: Passkey }): ReactNode {
  const words = useWords(ACCOUNTS_WORDS);
  const { ago } = useFormats();
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () =>
      send("delete", "/v1/session/passkeys/{passkey_id}", { params: { path: { passkey_id: passkey.passkey_id } } }),
    onSettled: () => queries.invalidateQueries({ queryKey: PASSKEYS }),
  });
  return (
    <li>
      <div className="row">
        <strong dir="auto">{passkey.name}</strong>
        <span className="muted">
          {words.made(ago(passkey.created_at))} · {passkey.used_at ? words.used(ago(passkey.used_at)) : words.unused}
        </span>
        <Confirm
          title={words.removePasskeyTitle(passkey.name)}
          verb={words.remove}
          opener={
            <Button kind="quiet" aria-label={words.removePasskeyTitle(passkey.name)}>
              {words.remove}
            </Button>
          }
          onConfirm={() => remove.mutate()}
        >
          {words.removePasskeyWhat}
        </Confirm>
      </div>
      <Wrong error={remove.error} />
    </li>
  );
}

function Passkeys(): ReactNode {
  const words = useWords(ACCOUNTS_WORDS);
  const queries = useQueryClient();
  const tell = useToast();
  const [name, setName] = useState("");
  const query = useQuery({ queryKey: PASSKEYS, queryFn: () => read("/v1/session/passkeys") });
  const ways = useQuery({ queryKey: ["ways"], queryFn: () => read("/v1/session/ways") });
  const add = useMutation({
    mutationFn: () => makePasskey(name.trim()),
    onSuccess: () => {
      tell(words.addedPasskey);
      setName("");
    },
    onSettled: () => queries.invalidateQueries({ queryKey: PASSKEYS }),
  });
  const possible = ways.data?.passkey === true && "credentials" in navigator;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (name.trim()) add.mutate();
  };
  return (
    <Card title={words.passkeys} about={words.passkeysAbout}>
      <Loaded query={query}>
        {({ passkeys }) =>
          passkeys.length === 0 ? (
            <Empty title={words.noPasskeys}>{!possible && ways.data && words.noPasskeysHere}</Empty>
          ) : (
            <ul className="stack plain">
              {passkeys.map((one) => (
                <OnePasskey key={one.passkey_id} passkey={one} />
              ))}
            </ul>
          )
        }
      </Loaded>
      {possible && (
        <form className="stack" onSubmit={submit}>
          <TextField
            label={words.passkeyName}
            help={words.passkeyNameHelp}
            value={name}
            onChange={setName}
            maxLength={64}
            required
          />
          <Wrong error={add.error} />
          <div className="row end">
            <Button type="submit" isDisabled={!name.trim() || add.isPending}>
              {words.addPasskey}
            </Button>
          </div>
        </form>
      )}
    </Card>
  );
}

/** Enough of what a browser calls itself to know it again. */
function browserOf(told: string): string {
  const name = /(Edg|OPR|Firefox|Chrome|Safari)\/\d+/.exec(told)?.[1];
  const device = /\((?:X11; )?([^;)]+)/.exec(told)?.[1];
  return name && device ? `${name === "Edg" ? "Edge" : name === "OPR" ? "Opera" : name} · ${device}` : told;
}

function Sessions(): ReactNode {
  const words = useWords(ACCOUNTS_WORDS);
  const { time, ago } = useFormats();
  const queries = useQueryClient();
  const tell = useToast();
  const query = useQuery({ queryKey: SESSIONS, queryFn: () => read("/v1/session/others") });
  const settled = {
    onSuccess: ({ ended }: { ended: number }) => tell(words.ended(ended)),
    onError: useFailed(),
    onSettled: () => queries.invalidateQueries({ queryKey: SESSIONS }),
  };
  const others = useMutation({ mutationFn: () => send("delete", "/v1/session/others"), ...settled });
  const one = useMutation({
    mutationFn: (session_id: string) =>
      send("delete", "/v1/session/others/{session_id}", { params: { path: { session_id } } }),
    ...settled,
  });
  return (
    <Card
      title={words.sessions}
      wide
      actions={
        (query.data?.sessions.length ?? 0) > 1 && (
          <Button isDisabled={others.isPending} onPress={() => others.mutate()}>
            {words.endOthers}
          </Button>
        )
      }
    >
      <Loaded query={query}>
        {({ sessions }) => (
          <DataTable
            caption={words.sessions}
            hideCaption
            rows={sessions}
            rowKey={(row) => row.session_id}
            columns={[
              {
                key: "browser",
                title: words.browser,
                value: (row) => browserOf(row.browser) || words.unknownBrowser,
                cell: (row) => (
                  <>
                    <span dir="ltr">{browserOf(row.browser) || words.unknownBrowser}</span>{" "}
                    {row.this && <Tag tone="good">{words.thisOne}</Tag>}
                  </>
                ),
              },
              { key: "way", title: words.way, value: (row) => words.ways[row.way] ?? row.way },
              { key: "since", title: words.since, value: (row) => row.since, cell: (row) => time(row.since) },
              { key: "seen", title: words.seen, value: (row) => row.seen_at, cell: (row) => ago(row.seen_at) },
              {
                key: "end",
                title: words.end,
                cell: (row) =>
                  !row.this && (
                    <Button kind="quiet" isDisabled={one.isPending} onPress={() => one.mutate(row.session_id)}>
                      {words.end}
                    </Button>
                  ),
              },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}

export default function ProfilePage(): ReactNode {
  const words = useWords(ACCOUNTS_WORDS);
  return (
    <Page title={words.profile} about={words.profileAbout}>
      <div className="grid">
        <Name />
        <Password />
        <Passkeys />
        <Sessions />
      </div>
    </Page>
  );
}

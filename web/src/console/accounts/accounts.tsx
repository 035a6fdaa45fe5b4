/** Staff accounts: who signs in here, and what they may do. */
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { onlyIf, read, send } from "../client.ts";
import { Ask, Button, Confirm, DataTable, Empty, Loaded, Page, Tag, useFailed, useToast } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { useSession } from "../session.tsx";
import { ACCOUNTS_KEY, type Account, Edit, Invite } from "./editor.tsx";
import { OnceLink } from "./link.tsx";
import "./accounts.css";
import { ACCOUNTS_WORDS } from "./words.ts";

function State({ account }: { readonly account: Account }): ReactNode {
  const words = useWords(ACCOUNTS_WORDS);
  const { time } = useFormats();
  if (account.disabled) return <Tag tone="bad">{words.disabled}</Tag>;
  if (account.has_password || account.passkeys > 0 || account.signed_in_at) return <Tag tone="good">{words.open}</Tag>;
  const until = account.invited_until;
  if (until && new Date(until) > new Date()) return <Tag>{words.invited(time(until))}</Tag>;
  return <Tag tone="warn">{words.expired}</Tag>;
}

function Actions({ account, mine }: { readonly account: Account; readonly mine: boolean }): ReactNode {
  const words = useWords(ACCOUNTS_WORDS);
  const queries = useQueryClient();
  const tell = useToast();
  const [link, setLink] = useState("");
  const params = { path: { account_id: account.account_id } };
  const seen = { ...params, header: onlyIf(account.etag) };
  const settled = {
    onError: useFailed(),
    onSettled: () => queries.invalidateQueries({ queryKey: ACCOUNTS_KEY }),
  };
  const letIn = useMutation({
    mutationFn: (disabled: boolean) => send("patch", "/v1/accounts/{account_id}", { params: seen, body: { disabled } }),
    ...settled,
  });
  const renew = useMutation({
    mutationFn: () => send("post", "/v1/accounts/{account_id}/invite", { params, body: { reset: true } }),
    onSuccess: (made) => setLink(made.invite_url),
    ...settled,
  });
  const remove = useMutation({
    mutationFn: () => send("delete", "/v1/accounts/{account_id}", { params: seen }),
    onSuccess: () => tell(words.removed(account.name)),
    ...settled,
  });
  if (link) return <OnceLink url={link} done={() => setLink("")} />;
  return (
    <div className="row actions">
      <Ask
        title={words.editTitle(account.name)}
        opener={
          <Button kind="quiet" aria-label={words.editTitle(account.name)}>
            {words.edit}
          </Button>
        }
      >
        {(close) => <Edit account={account} close={close} />}
      </Ask>
      {!mine && (
        <>
          <Confirm
            title={words.newLinkTitle(account.name)}
            verb={words.newLink}
            opener={<Button kind="quiet">{words.newLink}</Button>}
            onConfirm={() => renew.mutate()}
          >
            {words.newLinkWhat}
          </Confirm>
          {account.disabled ? (
            <Button kind="quiet" onPress={() => letIn.mutate(false)}>
              {words.enable}
            </Button>
          ) : (
            <Confirm
              title={`${words.disable}?`}
              verb={words.disable}
              opener={<Button kind="quiet">{words.disable}</Button>}
              onConfirm={() => letIn.mutate(true)}
            >
              {words.disableWhat(account.name)}
            </Confirm>
          )}
          <Confirm
            title={words.removeTitle(account.name)}
            verb={words.remove}
            opener={<Button kind="quiet">{words.remove}</Button>}
            onConfirm={() => remove.mutate()}
          >
            {words.removeWhat}
          </Confirm>
        </>
      )}
    </div>
  );
}

export default function AccountsPage(): ReactNode {
  const words = useWords(ACCOUNTS_WORDS);
  const { session } = useSession();
  const { ago } = useFormats();
  const query = useInfiniteQuery({
    queryKey: ACCOUNTS_KEY,
    queryFn: ({ pageParam }) => read("/v1/accounts", { params: { query: { cursor: pageParam } } }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
  });
  const invite = (
    <Ask title={words.invite} opener={<Button kind="main">{words.invite}</Button>}>
      {(close) => <Invite close={close} />}
    </Ask>
  );
  return (
    <Page title={words.title} about={words.about} actions={invite}>
      <Loaded query={query} lines={6}>
        {({ pages }) => {
          const accounts = pages.flatMap((page) => page.accounts);
          if (accounts.length === 0)
            return (
              <Empty title={words.none} action={invite}>
                {words.inviteWhat}
              </Empty>
            );
          return (
            <DataTable
              caption={words.title}
              hideCaption
              csv="staff-accounts"
              rows={accounts}
              rowKey={(one) => one.account_id}
              more={query.hasNextPage ? () => void query.fetchNextPage() : undefined}
              waiting={query.isFetchingNextPage}
              columns={[
                {
                  key: "name",
                  title: words.name,
                  value: (one) => one.name,
                  cell: (one) => (
                    <>
                      <span dir="auto">{one.name}</span>{" "}
                      {one.account_id === session?.account_id && <Tag>{words.you}</Tag>}
                    </>
                  ),
                },
                { key: "email", title: words.email, value: (one) => one.email },
                {
                  key: "roles",
                  title: words.roles,
                  value: (one) => one.roles.map((role) => words.roleNames[role] ?? role).join(", "),
                },
                { key: "state", title: words.state, cell: (one) => <State account={one} /> },
                {
                  key: "in",
                  title: words.lastIn,
                  value: (one) => one.signed_in_at,
                  cell: (one) => (one.signed_in_at ? ago(one.signed_in_at) : words.never),
                },
                {
                  key: "do",
                  title: words.actions,
                  cell: (one) => <Actions account={one} mine={one.account_id === session?.account_id} />,
                },
              ]}
            />
          );
        }}
      </Loaded>
    </Page>
  );
}

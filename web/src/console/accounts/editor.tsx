/** Inviting somebody, and changing who they are here. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { type Answer, onlyIf, send } from "../client.ts";
import { Button, Check, TextField, useToast, Wrong } from "../kit/index.ts";
import { useWords } from "../language.tsx";
import { OnceLink } from "./link.tsx";
import { ACCOUNTS_WORDS } from "./words.ts";

export type Account = Answer<"/v1/accounts", "get">["accounts"][number];
type Role = "marketer" | "agent" | "auditor" | "admin";
export const ACCOUNTS_KEY = ["accounts"];
const ROLES: readonly Role[] = ["marketer", "agent", "auditor", "admin"];

function Roles({
  chosen,
  choose,
}: {
  readonly chosen: readonly Role[];
  readonly choose: (roles: readonly Role[]) => void;
}): ReactNode {
  const words = useWords(ACCOUNTS_WORDS);
  return (
    <fieldset className="stack plain">
      <legend>{words.roles}</legend>
      {ROLES.map((role) => (
        <Check
          key={role}
          label={words.roleNames[role] ?? role}
          help={words.roleAbouts[role]}
          on={chosen.includes(role)}
          onChange={(on) => choose(on ? [...chosen, role] : chosen.filter((one) => one !== role))}
        />
      ))}
      {chosen.length === 0 && <p className="muted">{words.oneRole}</p>}
    </fieldset>
  );
}

/** Asks for name, address and roles; then shows the link. */
export function Invite({ close }: { readonly close: () => void }): ReactNode {
  const words = useWords(ACCOUNTS_WORDS);
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [roles, setRoles] = useState<readonly Role[]>(["marketer"]);
  const invite = useMutation({
    mutationFn: () =>
      send("post", "/v1/accounts", { body: { name: name.trim(), email: email.trim(), roles: [...roles] } }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ACCOUNTS_KEY }),
  });
  if (invite.data) return <OnceLink url={invite.data.invite_url} done={close} />;
  const ready = name.trim() && email.includes("@") && roles.length > 0;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (ready) invite.mutate();
  };
  return (
    <form className="stack" onSubmit={submit}>
      <p className="muted">{words.inviteWhat}</p>
      <TextField label={words.name} value={name} onChange={setName} maxLength={64} autoFocus required />
      <TextField label={words.email} type="email" value={email} onChange={setEmail} maxLength={254} required />
      <Roles chosen={roles} choose={setRoles} />
      <Wrong error={invite.error} />
      <div className="row end">
        <Button kind="main" type="submit" isDisabled={!ready || invite.isPending}>
          {words.invite}
        </Button>
      </div>
    </form>
  );
}

/** Changes name and roles. */
export function Edit({ account, close }: { readonly account: Account; readonly close: () => void }): ReactNode {
  const words = useWords(ACCOUNTS_WORDS);
  const queries = useQueryClient();
  const tell = useToast();
  const [seen, setSeen] = useState(account.etag); // what the form began with, whatever is read meanwhile
  const [name, setName] = useState(account.name);
  const [roles, setRoles] = useState<readonly Role[]>(account.roles as Role[]);
  const save = useMutation({
    mutationFn: () =>
      send("patch", "/v1/accounts/{account_id}", {
        params: { path: { account_id: account.account_id }, header: onlyIf(seen) },
        body: { name: name.trim(), roles: [...roles] },
      }),
    onSuccess: () => {
      tell(words.saved);
      close();
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ACCOUNTS_KEY }),
  });
  const ready = name.trim() && roles.length > 0;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (ready) save.mutate();
  };
  return (
    <form className="stack" onSubmit={submit}>
      <TextField label={words.name} value={name} onChange={setName} maxLength={64} required />
      <Roles chosen={roles} choose={setRoles} />
      <Wrong
        error={save.error}
        theirs={() => {
          setName(account.name);
          setRoles(account.roles as Role[]);
          setSeen(account.etag);
          save.reset();
        }}
        mine={(etag) => {
          setSeen(etag ?? account.etag);
          save.reset();
        }}
      />
      <div className="row end">
        <Button kind="main" type="submit" isDisabled={!ready || save.isPending}>
          {words.save}
        </Button>
      </div>
    </form>
  );
}

/** What is concluded about a member, each with its evidence; staff may set a label or say that one is not true, with a reason. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { type Answer, onlyIf, send } from "../client.ts";
import { Ask, Button, Card, DataTable, Empty, Tag, TextField, useFailed, useToast, Wrong } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { useSession } from "../session.tsx";
import { English } from "../told/told.tsx";
import { asValue, spoken } from "./values.ts";
import { CUSTOMER_WORDS } from "./words.ts";

export type Member = Answer<"/v1/members/{member_id}/overview", "get">;
type Label = Member["labels"][number];

const NAME = /^[a-z][a-z0-9_:.-]{0,63}$/u;
const LEAST_REASON = 3;
/** The label whose number is an amount. */
const MONEY = "expected_spend";

/** A change of a member's labels; afterwards the page is read anew, and above all when somebody else was faster. */
function useChange<T = void>(member: string, change: (given: T) => Promise<unknown>, done: string) {
  const tell = useToast();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => tell(done),
    onSettled: () => queries.invalidateQueries({ queryKey: ["member", member] }),
  });
}

interface FormProps {
  readonly member: string;
  readonly etag: string;
  readonly close: () => void;
}

/** A form that asks why, since the member may read it; `more` are fields of its own, `ready` whether they are filled in. */
function ReasonForm(props: {
  readonly kind: "main" | "danger";
  readonly verb: string;
  readonly pending: boolean;
  readonly send: (reason: string) => void;
  readonly ready?: boolean;
  readonly more: (tried: boolean) => ReactNode;
  readonly wrong: ReactNode;
}): ReactNode {
  const words = useWords(CUSTOMER_WORDS);
  const [reason, setReason] = useState("");
  const [tried, setTried] = useState(false);
  const wrong = reason.trim().length < LEAST_REASON ? words.reasonShort : undefined;
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (!wrong && props.ready !== false) props.send(reason.trim());
      }}
    >
      {props.more(tried)}
      <TextField
        label={words.reason}
        value={reason}
        onChange={setReason}
        wrong={tried ? wrong : undefined}
        required
        maxLength={200}
      />
      {props.wrong}
      <div className="row end">
        <Button kind={props.kind} type="submit" isDisabled={props.pending}>
          {props.verb}
        </Button>
      </div>
    </form>
  );
}

function SetForm({ member, etag, label, close }: FormProps & { readonly label?: Label }): ReactNode {
  const [seen, setSeen] = useState(etag); // what the form began with, whatever is read meanwhile
  const words = useWords(CUSTOMER_WORDS);
  const [name, setName] = useState(label?.name ?? "");
  const before = label?.value === true || !label ? "yes" : label.value === false ? "no" : String(label.value);
  const [value, setValue] = useState(before);
  const save = useChange(
    member,
    (reason: string) =>
      send("put", "/v1/members/{member_id}/labels/{name}", {
        params: { path: { member_id: member, name }, header: onlyIf(seen) },
        body: { value: asValue(value), reason, days: 90 },
      }),
    words.saved,
  );
  const keep = (etag = seen): void => {
    setSeen(etag);
    save.reset();
  };
  const wrongName = NAME.test(name) ? undefined : words.badName;
  return (
    <ReasonForm
      kind="main"
      verb={words.save}
      pending={save.isPending}
      send={(reason) => save.mutate(reason, { onSuccess: close })}
      ready={!wrongName && value.trim() !== ""}
      wrong={<Wrong error={save.error} theirs={close} mine={keep} />}
      more={(tried) => (
        <>
          {!label && (
            <TextField
              label={words.labelName}
              value={name}
              onChange={setName}
              wrong={tried ? wrongName : undefined}
              maxLength={64}
            />
          )}
          <TextField label={words.newValue} value={value} onChange={setValue} required maxLength={120} />
        </>
      )}
    />
  );
}

function VetoForm({ member, etag, name, close }: FormProps & { readonly name: string }): ReactNode {
  const [seen, setSeen] = useState(etag); // what the form began with, whatever is read meanwhile
  const words = useWords(CUSTOMER_WORDS);
  const veto = useChange(
    member,
    (reason: string) =>
      send("put", "/v1/members/{member_id}/labels/{name}/veto", {
        params: { path: { member_id: member, name }, header: onlyIf(seen) },
        body: { reason },
      }),
    words.saved,
  );
  const keep = (etag = seen): void => {
    setSeen(etag);
    veto.reset();
  };
  return (
    <ReasonForm
      kind="danger"
      verb={words.veto}
      pending={veto.isPending}
      send={(reason) => veto.mutate(reason, { onSuccess: close })}
      wrong={<Wrong error={veto.error} theirs={close} mine={keep} />}
      more={() => <p>{words.vetoWhat}</p>}
    />
  );
}

function Said({ member }: { readonly member: Member }): ReactNode {
  const words = useWords(CUSTOMER_WORDS);
  const { day } = useFormats();
  const { may } = useSession();
  const path = (name: string) => ({
    params: { path: { member_id: member.member_id, name }, header: onlyIf(member.labels_etag) },
  });
  const lift = useChange(
    member.member_id,
    (name: string) => send("delete", "/v1/members/{member_id}/labels/{name}/veto", path(name)),
    words.tookBack,
  );
  const unset = useChange(
    member.member_id,
    (name: string) => send("delete", "/v1/members/{member_id}/labels/{name}", path(name)),
    words.tookBack,
  );
  const failed = useFailed();
  const taken = (name: string, act: typeof lift.mutate): ReactNode =>
    may("members:write") && (
      <Button
        kind="quiet"
        onPress={() => act(name, { onError: failed })}
        aria-label={`${words.takeBack}: ${spoken(name)}`}
      >
        {words.takeBack}
      </Button>
    );
  if (member.edited.length + member.vetoed.length === 0) return null;
  return (
    <>
      {member.edited.length > 0 && <h3>{words.edited}</h3>}
      <ul className="said">
        {member.edited.map((one) => (
          <li key={one.name}>
            <p>
              <strong>{spoken(one.name)}</strong> {words.editedBy(one.by, day(one.expires_at))}
              <small className="help">{one.reason}</small>
            </p>
            {taken(one.name, unset.mutate)}
          </li>
        ))}
      </ul>
      {member.vetoed.length > 0 && <h3>{words.vetoed}</h3>}
      <ul className="said">
        {member.vetoed.map((one) => (
          <li key={one.name}>
            <p>
              <strong>{spoken(one.name)}</strong> {words.vetoedBy(words.by[one.by] ?? one.by, day(one.at))}
              <small className="help">{one.by === "member" ? words.membersVeto : one.reason}</small>
            </p>
            {one.by !== "member" && taken(one.name, lift.mutate)}
          </li>
        ))}
      </ul>
    </>
  );
}

function Acts({ member, etag, label }: Omit<FormProps, "close"> & { readonly label: Label }): ReactNode {
  const words = useWords(CUSTOMER_WORDS);
  const name = spoken(label.name);
  const opener = (verb: string): ReactNode => (
    <Button kind="quiet" aria-label={`${verb}: ${name}`}>
      {verb}
    </Button>
  );
  return (
    <div className="row acts">
      <Ask title={words.setTitle(name)} opener={opener(words.edit)}>
        {(close) => <SetForm member={member} etag={etag} label={label} close={close} />}
      </Ask>
      <Ask title={words.vetoTitle(name)} opener={opener(words.veto)}>
        {(close) => <VetoForm member={member} etag={etag} name={label.name} close={close} />}
      </Ask>
    </div>
  );
}

function Evidence({ label }: { readonly label: Label }): ReactNode {
  const words = useWords(CUSTOMER_WORDS);
  return (
    <div className="why">
      <English>{label.sentence}</English>
      <details>
        <summary>{words.evidence}</summary>
        <dl className="evidence">
          {Object.entries(label.evidence).map(([name, value]) => (
            <div key={name}>
              <dt>
                <English>{spoken(name)}</English>
              </dt>
              <dd>
                <English>{String(value)}</English>
              </dd>
            </div>
          ))}
        </dl>
      </details>
    </div>
  );
}

export function Labels({ member }: { readonly member: Member }): ReactNode {
  const words = useWords(CUSTOMER_WORDS);
  const { share, day, number, money } = useFormats();
  const { may } = useSession();
  const said = ({ name, value }: Label): string => {
    if (typeof value === "boolean") return value ? words.yes : words.no;
    if (typeof value === "number") return name === MONEY ? money(value) : number(value);
    return value;
  };
  const writes = may("members:write") && member.consented;
  const set = writes && (
    <Ask title={words.setNew} opener={<Button>{words.setNew}</Button>}>
      {(close) => <SetForm member={member.member_id} etag={member.labels_etag} close={close} />}
    </Ask>
  );
  return (
    <Card title={words.labels} about={words.labelsAbout} wide actions={set}>
      {member.labels.length === 0 ? (
        <Empty title={words.noLabels}>{member.consented ? words.noLabelsWhat : words.noLabelsConsent}</Empty>
      ) : (
        <DataTable
          caption={words.labels}
          hideCaption
          rows={member.labels}
          rowKey={(row) => row.name}
          csv="labels"
          columns={[
            { key: "name", title: words.label, value: (row) => spoken(row.name) },
            { key: "value", title: words.value, value: said },
            { key: "why", title: words.why, value: (row) => row.sentence, cell: (row) => <Evidence label={row} /> },
            {
              key: "sure",
              title: words.sure,
              value: (row) => row.confidence,
              cell: (row) => share(row.confidence, 0),
              numeric: true,
            },
            {
              key: "expires",
              title: words.expires,
              value: (row) => row.expires_at,
              cell: (row) => day(row.expires_at),
            },
            {
              key: "source",
              title: words.source,
              value: (row) => row.source,
              cell: (row) => <Tag>{words.sources[row.source] ?? words.model}</Tag>,
            },
            ...(writes
              ? [
                  {
                    key: "acts",
                    title: words.edit,
                    cell: (row: Label) => <Acts member={member.member_id} etag={member.labels_etag} label={row} />,
                  },
                ]
              : []),
          ]}
        />
      )}
      <Said member={member} />
    </Card>
  );
}

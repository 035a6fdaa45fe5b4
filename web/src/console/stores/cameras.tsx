/** What cameras may do in each store, under which notice, and who decided so. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { type Answer, onlyIf, readAll, send } from "../client.ts";
import {
  Ask,
  Button,
  Card,
  Check,
  Confirm,
  DataTable,
  Empty,
  Facts,
  Loaded,
  NumberField,
  Tag,
  TextArea,
  TextField,
  useFailed,
  Wrong,
} from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { STORES_WORDS } from "./words.ts";

type Store = Answer<"/v1/stores/cameras", "get">["stores"][number];
type Use = Store["uses"][number];
const USES: readonly Use[] = ["recognition", "expression", "adaptation"];
const KEY = ["cameras"];

function SwitchOn({ store, close }: { readonly store: Store; readonly close: () => void }): ReactNode {
  const words = useWords(STORES_WORDS);
  const queries = useQueryClient();
  const before = store.history.findLast((line) => line.notice)?.notice;
  const [seen, setSeen] = useState(store.etag); // what the form began with, whatever is read meanwhile
  const [uses, setUses] = useState<readonly Use[]>(before?.uses ?? ["recognition"]);
  const [purpose, setPurpose] = useState(before?.purpose ?? "");
  const [days, setDays] = useState(before?.retention_days ?? 365);
  const [notice, setNotice] = useState(before?.text ?? "");
  const enable = useMutation({
    mutationFn: () =>
      send("put", "/v1/stores/{store_id}/cameras", {
        params: { path: { store_id: store.store_id }, header: onlyIf(seen) },
        body: { uses: [...uses], purpose, retention_days: days, notice },
      }),
    onSuccess: () => {
      close();
      return queries.invalidateQueries({ queryKey: KEY });
    },
  });
  const ready = uses.length > 0 && purpose.trim() && notice.trim() && days > 0;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (ready) enable.mutate();
  };
  return (
    <form className="stack" onSubmit={submit}>
      <fieldset className="stack">
        {USES.map((use) => (
          <Check
            key={use}
            label={words.uses[use] ?? use}
            on={uses.includes(use)}
            onChange={(on) => setUses(on ? [...uses, use] : uses.filter((one) => one !== use))}
          />
        ))}
        {uses.length === 0 && <p className="react-aria-FieldError">{words.chooseUse}</p>}
      </fieldset>
      <TextField
        label={words.purpose}
        help={words.purposeHelp}
        value={purpose}
        onChange={setPurpose}
        maxLength={400}
        required
      />
      <NumberField
        label={words.retentionField}
        help={words.retentionHelp}
        value={days}
        onChange={setDays}
        least={1}
        most={1095}
        required
      />
      <TextArea
        label={words.notice}
        help={words.noticeHelp}
        value={notice}
        onChange={setNotice}
        maxLength={4000}
        required
      />
      <Wrong
        error={enable.error}
        theirs={() => {
          close();
          void queries.invalidateQueries({ queryKey: KEY });
        }}
        mine={(etag) => {
          setSeen(etag ?? seen);
          enable.reset();
        }}
      />
      <div className="row end">
        <Button kind="main" type="submit" isDisabled={!ready || enable.isPending}>
          {store.on ? words.saveNotice : words.save}
        </Button>
      </div>
    </form>
  );
}

function One({ store }: { readonly store: Store }): ReactNode {
  const words = useWords(STORES_WORDS);
  const { count, time } = useFormats();
  const queries = useQueryClient();
  const disable = useMutation({
    mutationFn: () =>
      send("delete", "/v1/stores/{store_id}/cameras", { params: { path: { store_id: store.store_id } } }),
    onError: useFailed(),
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
  });
  const named = (uses: readonly string[]): string => uses.map((use) => words.uses[use] ?? use).join(", ") || words.off;
  const { notice } = store;
  return (
    <Card
      wide
      title={`${words.store} ${store.store_id}`}
      actions={
        store.on ? (
          <>
            <Ask title={words.changeNoticeTitle(store.store_id)} opener={<Button>{words.changeNotice}</Button>}>
              {(close) => <SwitchOn store={store} close={close} />}
            </Ask>
            <Confirm
              title={words.switchOffTitle(store.store_id)}
              verb={words.switchOff}
              opener={<Button kind="danger">{words.switchOff}</Button>}
              onConfirm={() => disable.mutate()}
            >
              {words.switchOffWhat}
            </Confirm>
          </>
        ) : (
          <Ask title={words.switchOnTitle(store.store_id)} opener={<Button>{words.switchOn}</Button>}>
            {(close) => <SwitchOn store={store} close={close} />}
          </Ask>
        )
      }
    >
      <p>
        <Tag tone={store.on ? "warn" : "plain"}>{store.on ? words.camerasOn : words.camerasOff}</Tag>{" "}
        {store.on && named(store.uses)}
      </p>
      {notice && (
        <>
          <Facts
            facts={[
              [
                words.purpose,
                <span key="purpose" dir="auto">
                  {notice.purpose}
                </span>,
              ],
              [words.retention, words.days(count(notice.retention_days))],
            ]}
          />
          <section className="notice" aria-label={words.notice}>
            <p className="muted">
              {words.noticeVersion(notice.version)}, {time(notice.at)}
            </p>
            <p dir="auto">{notice.text}</p>
          </section>
        </>
      )}
      <DataTable
        caption={words.record}
        csv={`cameras-${store.store_id}`}
        rows={store.history.toReversed()}
        rowKey={(line) => String(line.number)}
        columns={[
          { key: "at", title: words.at, value: (line) => line.at, cell: (line) => time(line.at) },
          { key: "what", title: words.what, value: (line) => named(line.uses) },
          { key: "by", title: words.by, value: (line) => line.by, cell: (line) => <span dir="auto">{line.by}</span> },
        ]}
      />
    </Card>
  );
}

export function Cameras(): ReactNode {
  const words = useWords(STORES_WORDS);
  const query = useQuery({ queryKey: KEY, queryFn: () => readAll("/v1/stores/cameras", "stores") });
  return (
    <div className="stack">
      <p className="muted">{words.camerasAbout}</p>
      <Loaded query={query} lines={6}>
        {({ stores }) =>
          stores.length === 0 ? (
            <Empty title={words.noCameras} />
          ) : (
            stores.map((store) => <One key={store.store_id} store={store} />)
          )
        }
      </Loaded>
    </div>
  );
}

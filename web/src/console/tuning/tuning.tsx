/** The dials with their effect, and their versions. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { onlyIf, read, send } from "../client.ts";
import { Button, Card, Loaded, Page, TextField, Trouble, useLater, useToast, Wrong } from "../kit/index.ts";
import { useWords } from "../language.tsx";
import { Dials, type Now, standing, type Values } from "./dials.tsx";
import { Effect, type Preview } from "./effect.tsx";
import "./tuning.css";
import { Versions } from "./versions.tsx";
import { TUNING_WORDS } from "./words.ts";

const SETTLED_MS = 250;

function Propose({
  now,
  values,
  preview,
  done,
  catchUp,
}: {
  readonly now: Now;
  readonly values: Values;
  readonly preview: Preview | undefined;
  readonly done: () => void;
  /** Goes on from the dials that count by now; what is set here stays, or makes way for them. */
  readonly catchUp: (keep: boolean) => Promise<void>;
}): ReactNode {
  const words = useWords(TUNING_WORDS);
  const queries = useQueryClient();
  const tell = useToast();
  const [note, setNote] = useState("");
  const [wrong, setWrong] = useState<string>();
  const second = preview?.wants_second_person ?? false;
  const proposing = useMutation({
    mutationFn: async () => {
      const header = onlyIf(`"tuning-${now.current.version}"`);
      const made = await send("post", "/v1/tuning/versions", { params: { header }, body: { values, note } });
      if (!made.may_apply) return made;
      return send("post", "/v1/tuning/versions/{version}/apply", { params: { path: { version: made.version } } });
    },
    onSuccess: (made) => {
      tell(made.state === "applied" ? words.applied : words.proposed);
      setNote("");
      done();
    },
    onSettled: () => void queries.invalidateQueries({ queryKey: ["tuning"] }),
  });
  const look = async (keep: boolean): Promise<void> => {
    await catchUp(keep);
    proposing.reset();
  };
  return (
    <Card title={words.propose} wide>
      {second && <p>{words.second}</p>}
      <Wrong error={proposing.error} theirs={() => void look(false)} mine={() => void look(true)} />
      <form
        className="propose"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (note.trim()) proposing.mutate();
          else setWrong(words.wantNote);
        }}
      >
        <TextField
          label={words.note}
          value={note}
          onChange={(text) => {
            setNote(text);
            setWrong(undefined);
          }}
          placeholder={words.notePlaceholder}
          maxLength={200}
          wrong={wrong}
          required
        />
        <Button kind="main" type="submit" isDisabled={proposing.isPending}>
          {second ? words.propose : words.applyNow}
        </Button>
      </form>
    </Card>
  );
}

function Desk({ newest, again }: { readonly newest: Now; readonly again: () => Promise<Now | undefined> }): ReactNode {
  // What the hand began from: a colleague's later turn must not take away what is set here, nor be overwritten unseen.
  const [now, setNow] = useState(newest);
  const [values, setValues] = useState(now.current.values as Values);
  const changed = now.dials.filter(
    (dial) => standing(values, dial) !== standing(now.current.values as Values, dial),
  ).length;
  const follow = (found: Now): void => {
    setNow(found);
    setValues(found.current.values as Values);
  };
  if (changed === 0 && newest.current.version !== now.current.version) follow(newest);
  const catchUp = async (keep: boolean): Promise<void> => {
    const found = await again();
    if (!found) return;
    if (keep) setNow(found);
    else follow(found);
  };
  const settled = useLater(values, SETTLED_MS);
  const preview = useQuery({
    queryKey: ["tuning", "preview", now.current.version, settled],
    queryFn: () => send("post", "/v1/tuning/preview", { body: { values: settled, member_ids: [] } }),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  return (
    <div className="stack">
      <div className="desk">
        <Dials now={now} values={values} change={setValues} changed={changed} />
        <div className="stack">
          {changed > 0 && (
            <Propose
              now={now}
              values={values}
              preview={preview.data}
              catchUp={catchUp}
              done={() => setValues(now.current.values as Values)}
            />
          )}
          {preview.error && <Trouble error={preview.error} again={() => void preview.refetch()} />}
          <Effect preview={preview.data} waiting={preview.isFetching} />
        </div>
      </div>
      <Versions now={newest} />
    </div>
  );
}

export default function Tuning(): ReactNode {
  const words = useWords(TUNING_WORDS);
  const now = useQuery({ queryKey: ["tuning", "now"], queryFn: () => read("/v1/tuning") });
  return (
    <Page title={words.title} about={words.about}>
      <Loaded query={now} lines={8}>
        {(found) => <Desk newest={found} again={async () => (await now.refetch()).data} />}
      </Loaded>
    </Page>
  );
}

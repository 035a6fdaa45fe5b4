/** The display policy: sliders, what they would do to a visit, saved with a note, and the way back. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useDeferredValue, useEffect, useRef, useState } from "react";
import { ApiError } from "../../api/http.ts";
import { read, send } from "../client.ts";
import { Button, Card, Loaded, Page, Wrong } from "../kit/index.ts";
import { useWords } from "../language.tsx";
import "./display.css";
import { History } from "./history.tsx";
import { Preview } from "./preview.tsx";
import { Sliders } from "./sliders.tsx";
import { changed, type Policy, type Values, withValue } from "./values.ts";
import { DISPLAY_WORDS } from "./words.ts";

const KEY = ["display-policy"];
const etagOf = (policy: Policy): string => `"display-policy-${policy.version}"`;

/** The api's complaints, by the places that they are about. */
function flawsOf(error: unknown): Readonly<Record<string, string>> {
  const found = error instanceof ApiError && error.status === 422 ? error.problem.errors : undefined;
  return Object.fromEntries((found ?? []).map(({ where, reason }) => [where.replace(/^values\./, ""), reason]));
}

interface Saving {
  readonly policy: Policy;
  readonly values: Values;
  readonly flawed: boolean;
  readonly undo: () => void;
  /** Look again what counts, without losing what was set here. */
  readonly theirs: (keepMine: boolean) => Promise<void>;
}

function Save({ policy, values, flawed, undo, theirs }: Saving): ReactNode {
  const words = useWords(DISPLAY_WORDS);
  const queries = useQueryClient();
  const [note, setNote] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const save = useMutation({
    mutationFn: () =>
      send("put", "/v1/display-policy", {
        params: { header: { "if-match": etagOf(policy) } },
        body: { values: { ...values }, note: note.trim() },
      }),
    onSuccess: () => {
      setNote("");
      return queries.invalidateQueries({ queryKey: KEY });
    },
  });
  const count = changed(policy, values);
  const idle = count === 0 || flawed || save.isPending;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!idle && note.trim()) save.mutate();
  };
  const { reset } = save;
  const looking = useRef<{ readonly from: number; readonly keepMine: boolean }>(undefined);
  // Only when what they saved is here: sent before that, mine would be refused again.
  useEffect(() => {
    const { from, keepMine } = looking.current ?? {};
    if (from === undefined || from === policy.version) return;
    looking.current = undefined;
    reset();
    if (keepMine) field.current?.focus();
  }, [policy.version, reset]);
  const look = (keepMine: boolean): void => {
    looking.current = { from: policy.version, keepMine };
    void theirs(keepMine);
  };
  return (
    <form className="saving field" onSubmit={submit}>
      <label htmlFor="note">{words.note}</label>
      <input
        id="note"
        ref={field}
        maxLength={200}
        required
        autoComplete="off"
        data-testid="display-note"
        value={note}
        onChange={(event) => setNote(event.target.value)}
      />
      <div className="row">
        <Button kind="main" type="submit" isDisabled={idle} data-testid="display-save">
          {words.save}
        </Button>
        <Button isDisabled={count === 0} onPress={undo} data-testid="display-undo">
          {words.undo}
        </Button>
        <span className="muted" role="status">
          {count === 0 ? words.unchanged : words.changes(count)}
        </span>
      </div>
      <p role="status" data-testid="display-done">
        {save.data && words.saved(save.data.version)}
      </p>
      <Wrong error={save.error} theirs={() => look(false)} mine={() => look(true)} />
    </form>
  );
}

function Desk({ policy }: { readonly policy: Policy }): ReactNode {
  const words = useWords(DISPLAY_WORDS);
  const queries = useQueryClient();
  const [values, setValues] = useState(policy.values);
  const [visit, setVisit] = useState(policy.visits[0] ?? "");
  const keep = useRef(false);
  // A newer version replaces what is on the sliders, unless somebody asked to keep theirs.
  useEffect(() => {
    if (!keep.current) setValues(policy.values);
    keep.current = false;
  }, [policy]);
  const tried = useDeferredValue(values);
  const played = useQuery({
    queryKey: ["display-preview", tried, visit],
    queryFn: ({ signal }) =>
      send("post", "/v1/display-policy/preview", { body: { values: { ...tried }, visit }, signal }),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const flaws = flawsOf(played.error);
  const flawed = Object.keys(flaws).length > 0;
  const lastGood = useRef(played.data);
  if (played.data && !flawed) lastGood.current = played.data;
  const theirs = async (keepMine: boolean): Promise<void> => {
    keep.current = keepMine;
    await queries.invalidateQueries({ queryKey: KEY });
  };
  return (
    <div className="stack">
      <div className="grid">
        <Sliders
          policy={policy}
          values={values}
          flaws={flaws}
          set={(place, value) => setValues(withValue(values, place, value))}
        />
        <div className="stack">
          <Card title={words.preview} about={words.visitAbout}>
            <Preview
              visits={policy.visits}
              visit={visit}
              choose={setVisit}
              shown={lastGood.current}
              values={values}
              stale={flawed}
            />
          </Card>
          <Save policy={policy} values={values} flawed={flawed} undo={() => setValues(policy.values)} theirs={theirs} />
        </div>
      </div>
      <History now={policy.version} />
    </div>
  );
}

export default function DisplayPage(): ReactNode {
  const words = useWords(DISPLAY_WORDS);
  // What somebody else saves must not take away what is set here: it is looked at again when it is asked for.
  const query = useQuery({
    queryKey: KEY,
    queryFn: () => read("/v1/display-policy"),
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  return (
    <Page title={words.title} about={words.about}>
      <Loaded query={query} lines={8}>
        {(policy) => <Desk policy={policy} />}
      </Loaded>
    </Page>
  );
}

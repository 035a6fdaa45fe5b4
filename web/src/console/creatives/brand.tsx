/** The brand kit, tried on posters while it is edited. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ChangeEvent, type FormEvent, type ReactNode, useDeferredValue, useId, useState } from "react";
import { type Answer, onlyIf, read, send } from "../client.ts";
import { Button, Card, Check, DataTable, Loaded, Range, TextArea, TextField, useToast, Wrong } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { CREATIVES_WORDS } from "./words.ts";

type Kit = Answer<"/v1/brand-kit", "get">;
const KEY = ["brand-kit"];
const MOST_BYTES = 1_000_000;

interface Draft {
  readonly retailer: string;
  readonly colour: string;
  readonly clear_space: number;
  readonly tones: string[];
  readonly pairings: string[];
  readonly forbidden_words: string[];
  readonly forbidden_colours: string[];
  readonly legal: string;
  readonly logo: string | null;
  readonly logo_licence: string;
  readonly without_logo: boolean;
}

const draftOf = (kit: Kit): Draft => ({
  retailer: kit.retailer,
  colour: kit.colour,
  clear_space: kit.clear_space,
  tones: kit.tones,
  pairings: kit.pairings,
  forbidden_words: kit.forbidden_words,
  forbidden_colours: kit.forbidden_colours,
  legal: kit.legal,
  logo: null,
  logo_licence: kit.logo_licence,
  without_logo: false,
});
const linesOf = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);

function base64Of(file: Blob): Promise<string> {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(String(reader.result).split(",")[1] ?? "");
    reader.onerror = () => failed(reader.error ?? new Error("The file could not be read."));
    reader.readAsDataURL(file);
  });
}

function Posters({ draft }: { readonly draft: Draft }): ReactNode {
  const words = useWords(CREATIVES_WORDS);
  const tried = useDeferredValue(draft);
  const query = useQuery({
    queryKey: ["brand-preview", tried],
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => {
      // Somebody types: what is overtaken within this time is not drawn.
      await new Promise((go) => setTimeout(go, 400));
      signal.throwIfAborted();
      return send("post", "/v1/brand-kit/preview", { body: tried, signal });
    },
  });
  return (
    <Card title={words.preview} about={words.previewAbout}>
      <Loaded query={query} lines={8}>
        {({ posters }) => (
          <ul className="tiles">
            {posters.map((poster) => (
              <li key={poster.alt} className="tile">
                <img
                  src={`data:image/webp;base64,${poster.webp}`}
                  alt={poster.alt}
                  width={poster.width}
                  height={poster.height}
                />
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Card>
  );
}

function Logo({
  kit,
  draft,
  change,
}: {
  readonly kit: Kit;
  readonly draft: Draft;
  readonly change: (more: Partial<Draft>) => void;
}): ReactNode {
  const words = useWords(CREATIVES_WORDS);
  const id = useId();
  const [wrong, setWrong] = useState("");
  const take = async (event: ChangeEvent<HTMLInputElement>): Promise<void> => {
    const file = event.target.files?.[0];
    if (!file) return;
    if (file.size > MOST_BYTES) {
      setWrong(words.logoHelp);
      return;
    }
    setWrong("");
    change({ logo: await base64Of(file), logo_licence: "", without_logo: false });
  };
  const there = draft.logo !== null || (kit.logo && !draft.without_logo);
  return (
    <div className="field">
      <label htmlFor={id}>{words.logo}</label>
      <input
        id={id}
        type="file"
        accept="image/png,image/jpeg,image/webp,image/svg+xml"
        aria-describedby={`${id}-help`}
        onChange={(event) => void take(event)}
      />
      <small className="help" id={`${id}-help`}>
        {words.logoHelp} {there && words.hasLogo}
      </small>
      {wrong && (
        <p className="react-aria-FieldError" role="alert">
          {wrong}
        </p>
      )}
      {there && (
        <TextField
          label={words.logoLicence}
          help={words.logoLicenceHelp}
          value={draft.logo_licence}
          onChange={(logo_licence) => change({ logo_licence })}
          maxLength={200}
          required={draft.logo !== null}
        />
      )}
      {there && (
        <Button kind="quiet" onPress={() => change({ logo: null, logo_licence: "", without_logo: true })}>
          {words.removeLogo}
        </Button>
      )}
    </div>
  );
}

function Fields({
  kit,
  draft,
  change,
}: {
  readonly kit: Kit;
  readonly draft: Draft;
  readonly change: (more: Partial<Draft>) => void;
}): ReactNode {
  const words = useWords(CREATIVES_WORDS);
  const { number } = useFormats();
  const id = useId();
  const [said, setSaid] = useState(draft.forbidden_words.join("\n"));
  const [used, setUsed] = useState(draft.forbidden_colours.join("\n"));
  return (
    <>
      <TextField
        label={words.retailer}
        value={draft.retailer}
        onChange={(retailer) => change({ retailer })}
        maxLength={60}
        required
      />
      <div className="field">
        <label htmlFor={id}>{words.colour}</label>
        <input
          id={id}
          type="color"
          className="colour"
          value={draft.colour}
          onChange={(event) => change({ colour: event.target.value })}
        />
      </div>
      <Logo kit={kit} draft={draft} change={change} />
      <Range
        label={words.clearSpace}
        value={draft.clear_space}
        onChange={(clear_space) => change({ clear_space })}
        least={0}
        most={1.5}
        step={0.1}
        written={words.clearSpaceUnit(number(draft.clear_space))}
      />
      <fieldset>
        <legend>{words.tones}</legend>
        {kit.all_tones.map((tone) => (
          <Check
            key={tone}
            label={words.tone[tone] ?? tone}
            on={draft.tones.includes(tone)}
            onChange={(on) =>
              change({ tones: on ? [...draft.tones, tone] : draft.tones.filter((one) => one !== tone) })
            }
          />
        ))}
      </fieldset>
      <TextField
        label={words.legal}
        help={words.legalHelp}
        value={draft.legal}
        onChange={(legal) => change({ legal })}
        maxLength={200}
      />
      <TextArea
        label={words.forbiddenWords}
        help={words.forbiddenWordsHelp}
        rows={3}
        value={said}
        onChange={(text) => {
          setSaid(text);
          change({ forbidden_words: linesOf(text) });
        }}
      />
      <TextArea
        label={words.forbiddenColours}
        help={words.forbiddenColoursHelp}
        rows={2}
        value={used}
        onChange={(text) => {
          setUsed(text);
          change({ forbidden_colours: linesOf(text).filter((line) => /^#[0-9a-f]{6}$/i.test(line)) });
        }}
      />
    </>
  );
}

function Editor({ kit }: { readonly kit: Kit }): ReactNode {
  const words = useWords(CREATIVES_WORDS);
  const queries = useQueryClient();
  const tell = useToast();
  const [draft, setDraft] = useState(() => draftOf(kit));
  const [note, setNote] = useState("");
  const [seen, setSeen] = useState(`"brand-kit-${kit.version}"`);
  const save = useMutation({
    mutationFn: () =>
      send("put", "/v1/brand-kit", {
        params: { header: onlyIf(seen) },
        body: { ...draft, note: note.trim() },
      }),
    onSuccess: async (saved) => {
      tell(words.saved(saved.version));
      setNote("");
      await queries.invalidateQueries({ queryKey: KEY });
    },
  });
  const licensed = draft.logo === null || draft.logo_licence.trim();
  const ready = draft.retailer.trim() && draft.tones.length > 0 && licensed && note.trim();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (ready) save.mutate();
  };
  return (
    <div className="grid two">
      <Card title={words.brand} about={words.brandAbout}>
        <form className="stack" onSubmit={submit}>
          <Fields kit={kit} draft={draft} change={(more) => setDraft((was) => ({ ...was, ...more }))} />
          <TextField label={words.whyChange} value={note} onChange={setNote} maxLength={200} required />
          <Wrong
            error={save.error}
            theirs={() => void queries.invalidateQueries({ queryKey: KEY })}
            mine={(etag) => {
              setSeen(etag ?? seen);
              save.reset();
            }}
          />
          <div className="row end">
            <Button kind="main" type="submit" isDisabled={!ready || save.isPending}>
              {words.save}
            </Button>
          </div>
        </form>
      </Card>
      <Posters draft={draft} />
      <Versions />
    </div>
  );
}

function Versions(): ReactNode {
  const words = useWords(CREATIVES_WORDS);
  const { time } = useFormats();
  const query = useQuery({ queryKey: [...KEY, "versions"], queryFn: () => read("/v1/brand-kit/versions") });
  return (
    <Card wide title={words.versions}>
      <Loaded query={query}>
        {({ versions }) =>
          versions.length === 0 ? (
            <p className="muted">{words.noVersions}</p>
          ) : (
            <DataTable
              caption={words.versions}
              hideCaption
              rows={versions}
              rowKey={(one) => String(one.version)}
              columns={[
                { key: "version", title: words.version, value: (one) => one.version, numeric: true },
                { key: "at", title: words.when, value: (one) => one.at, cell: (one) => one.at && time(one.at) },
                { key: "by", title: words.who, value: (one) => one.author },
                { key: "note", title: words.note, value: (one) => one.note },
              ]}
            />
          )
        }
      </Loaded>
    </Card>
  );
}

export function Brand(): ReactNode {
  // What somebody else saves must not take away what is being edited here: it is looked at again when it is asked for.
  const query = useQuery({
    queryKey: KEY,
    queryFn: () => read("/v1/brand-kit"),
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  return (
    <Loaded query={query} lines={8}>
      {(kit) => <Editor key={kit.version} kit={kit} />}
    </Loaded>
  );
}

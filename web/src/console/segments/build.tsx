/** The builder: conditions with a live count of the members for whom they hold. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { onlyIf, read, send } from "../client.ts";
import { Button, Card, Choice, Loaded, Page, TextField, Trouble, useToast, Wrong } from "../kit/index.ts";
import { useFormats, useLanguage, useWords } from "../language.tsx";
import { inArabic } from "../told/rules.ts";
import { Line } from "./condition.tsx";
import { type Draft, draftsOf, first, type Rule, ruleOf, type Segment, type Vocabulary } from "./rule.ts";
import "./segments.css";
import { SEGMENT_WORDS } from "./words.ts";

const PAUSE_MS = 200;

/** What was last given, after a pause without another. */
function useCalm<T>(value: T): T {
  const [calm, setCalm] = useState(value);
  const written = JSON.stringify(value);
  const latest = useRef(value);
  latest.current = value;
  // biome-ignore lint/correctness/useExhaustiveDependencies: two rules that read alike are the same
  useEffect(() => {
    const timer = setTimeout(() => setCalm(latest.current), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [written]);
  return calm;
}

function Count({ rule }: { readonly rule: Rule | undefined }): ReactNode {
  const words = useWords(SEGMENT_WORDS);
  const formats = useFormats();
  const { count, share } = formats;
  const { language } = useLanguage();
  const calm = useCalm(rule);
  const query = useQuery({
    queryKey: ["segment-count", calm],
    enabled: calm !== undefined,
    queryFn: () => send("post", "/v1/segments/count", { body: { rule: calm as Rule } }),
    placeholderData: keepPreviousData,
  });
  const told = query.data;
  const part = told?.of ? told.members / told.of : 0;
  return (
    <div className="count" role="status">
      {rule === undefined && <p className="muted">{words.valueMissing}</p>}
      {rule && !told && !query.error && <p className="muted">{words.counting}</p>}
      {rule && told && (
        <>
          <p className="value">{words.counted(count(told.members), count(told.of), share(part))}</p>
          <p className="muted">{language === "ar" ? inArabic(rule, formats) : told.sentence}</p>
        </>
      )}
      {query.error && <Trouble error={query.error} />}
    </div>
  );
}

function useSave(segment: Segment | undefined, seen: string) {
  const words = useWords(SEGMENT_WORDS);
  const tell = useToast();
  const navigate = useNavigate();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: { name: string; description: string; rule: Rule }) =>
      segment
        ? send("put", "/v1/segments/{segment_id}", {
            params: { path: { segment_id: segment.segment_id }, header: onlyIf(seen) },
            body,
          })
        : send("post", "/v1/segments", { body }),
    onSuccess: (made) => {
      tell(words.saved(made.name));
      void queries.invalidateQueries({ queryKey: ["segments"] });
      void navigate("/segments");
    },
  });
}

function Builder({ vocabulary, segment }: { readonly vocabulary: Vocabulary; readonly segment?: Segment }): ReactNode {
  const words = useWords(SEGMENT_WORDS);
  const { currency } = useFormats();
  const begun = segment?.rule
    ? draftsOf(vocabulary, segment.rule, currency)
    : { match: "all" as const, drafts: [first(vocabulary, 0)] };
  const [match, setMatch] = useState<"all" | "any">(begun.match);
  const [drafts, setDrafts] = useState<readonly Draft[]>(begun.drafts);
  const [name, setName] = useState(segment?.name ?? "");
  const [description, setDescription] = useState(segment?.description ?? "");
  const [tried, setTried] = useState(false);
  const [seen, setSeen] = useState(segment?.etag ?? "*"); // what the form began with, whatever is read meanwhile
  const save = useSave(segment, seen);
  const queries = useQueryClient();
  const rule = ruleOf(vocabulary, match, drafts, currency);
  const next = Math.max(0, ...drafts.map(({ key }) => key + 1));
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (rule && name.trim()) save.mutate({ name: name.trim(), description: description.trim(), rule });
      }}
    >
      <Card title={words.rule} wide>
        <div className="narrow">
          <Choice
            label={words.match}
            value={match}
            onChange={(value) => setMatch(value as "all" | "any")}
            options={[
              { id: "all", name: words.matchAll },
              { id: "any", name: words.matchAny },
            ]}
          />
        </div>
        {drafts.map((draft, place) => (
          <Line
            key={draft.key}
            vocabulary={vocabulary}
            draft={draft}
            number={place + 1}
            change={(changed) => setDrafts(drafts.map((one) => (one.key === draft.key ? changed : one)))}
            drop={drafts.length > 1 ? () => setDrafts(drafts.filter(({ key }) => key !== draft.key)) : undefined}
          />
        ))}
        <div className="row">
          <Button
            onPress={() => setDrafts([...drafts, first(vocabulary, next)])}
            isDisabled={drafts.length >= vocabulary.most_conditions}
          >
            {words.add}
          </Button>
        </div>
        <Count rule={rule} />
      </Card>
      <Card title={words.naming} wide>
        <TextField
          label={words.name}
          value={name}
          onChange={setName}
          maxLength={120}
          required
          wrong={tried && !name.trim() ? words.nameMissing : undefined}
        />
        <TextField label={words.description} value={description} onChange={setDescription} maxLength={400} />
        {tried && !rule && <p role="alert">{words.valueMissing}</p>}
        <Wrong
          error={save.error}
          theirs={() => void queries.invalidateQueries({ queryKey: ["segment-builder", segment?.segment_id] })}
          mine={(etag) => {
            setSeen(etag ?? seen);
            save.reset();
          }}
        />
        <div className="row end">
          <Link to="/segments">{words.cancel}</Link>
          <Button kind="main" type="submit" isDisabled={save.isPending}>
            {words.save}
          </Button>
        </div>
      </Card>
    </form>
  );
}

export default function BuildPage(): ReactNode {
  const words = useWords(SEGMENT_WORDS);
  const { segment } = useParams();
  const query = useQuery({
    queryKey: ["segment-builder", segment],
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    queryFn: async () => ({
      vocabulary: await read("/v1/segments/vocabulary"),
      segment: segment
        ? await read("/v1/segments/{segment_id}", { params: { path: { segment_id: segment } } })
        : undefined,
    }),
  });
  const title = query.data?.segment ? words.editSegment(query.data.segment.name) : words.newSegment;
  return (
    <Page title={title} back={<Link to="/segments">{words.back}</Link>}>
      <Loaded query={query} lines={8}>
        {(told) => (
          <Builder
            key={told.segment?.etag}
            vocabulary={told.vocabulary}
            {...(told.segment ? { segment: told.segment } : {})}
          />
        )}
      </Loaded>
    </Page>
  );
}

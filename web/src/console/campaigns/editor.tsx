/** Makes or changes a campaign, in five steps. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { ApiError } from "../../api/http.ts";
import { onlyIf, read, send } from "../client.ts";
import { Button, Loaded, Page, Wrong } from "../kit/index.ts";
import { useWords } from "../language.tsx";
import "./campaigns.css";
import type { Campaign } from "./campaigns.tsx";
import { bodyOf, type Draft, fresh, fromCampaign } from "./draft.ts";
import { Posters, useDrawing } from "./posters.tsx";
import { type Choices, Goal, Money, What, Who } from "./steps.tsx";
import { CAMPAIGN_WORDS } from "./words.ts";

const LAST = 4;
/** Fields that show what is wrong with them, and the step that they stand in. */
const STEP_OF: Readonly<Record<string, number>> = {
  name: 0,
  audience: 1,
  "audience.members": 1,
  ladder: 2,
  categories: 2,
  per_member: 2,
  minimum_basket_minor: 2,
  creative_campaign_ids: 3,
  posters_for: 3,
  budget_minor: 4,
  starts_at: 4,
  ends_at: 4,
  holdout: 4,
};

function wrongIn(error: Error | null): Record<string, string> {
  if (!(error instanceof ApiError)) return {};
  const told = (error.problem.errors ?? []) as { where: string; reason: string }[];
  return Object.fromEntries(told.map(({ where, reason }) => [fieldOf(where.replace(/^body\./, "")), reason]));
}

/** What is wrong with a rung of the ladder stands at the ladder; what no field shows keeps its name. */
function fieldOf(where: string): string {
  const whole = where.split(".")[0] ?? where;
  return where in STEP_OF || !(whole in STEP_OF) ? where : whole;
}

function useSaving(was: Campaign | undefined, draft: Draft, choices: Choices) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const drawing = useDrawing();
  return useMutation({
    mutationFn: () => {
      const body = bodyOf(draft, choices.currency, was);
      if (!was) return send("post", "/v1/campaigns", { body });
      return send("put", "/v1/campaigns/{campaign_id}", {
        params: { path: { campaign_id: was.campaign_id }, header: onlyIf(`"campaign-${was.version}"`) },
        body,
      });
    },
    onSuccess: (saved) => {
      queries.setQueryData(["campaign", saved.campaign_id], saved);
      void queries.invalidateQueries({ queryKey: ["campaigns"] });
      const made = saved.creative_campaign_ids.filter((id) => !draft.posters.includes(id));
      for (const id of made) drawing.mutate(id);
      void navigate(`/campaigns/${saved.campaign_id}?simulate=yes`);
    },
  });
}

interface FormProps {
  readonly was?: Campaign;
  readonly choices: Choices;
  /** Reads what a colleague has saved. */
  readonly again?: () => Promise<Campaign | undefined>;
}

function Form({ was, choices, again }: FormProps): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  // What the draft was made from, so that a colleague's later change is a conflict and is not overwritten.
  const [base, setBase] = useState(was);
  const [draft, setDraft] = useState<Draft>(() => (base ? fromCampaign(base) : fresh()));
  const [step, setStep] = useState(0);
  const [own, setOwn] = useState<Record<string, string>>({});
  const heading = useRef<HTMLHeadingElement>(null);
  const saving = useSaving(base, draft, choices);
  const moved = useRef(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the step is what moves the focus
  useEffect(() => {
    if (moved.current) heading.current?.focus();
    moved.current = true;
  }, [step]);
  const wrong = { ...wrongIn(saving.error), ...own };
  const set = (change: Partial<Draft>): void => {
    setOwn({});
    if (saving.isError) saving.reset();
    setDraft((before) => ({ ...before, ...change }));
  };
  const catchUp = async (keep: boolean): Promise<void> => {
    const now = await again?.();
    if (!now) return;
    setBase(now);
    if (!keep) setDraft(fromCampaign(now));
    saving.reset();
  };
  const last = step === LAST;
  const told = Object.keys(wrong);
  const allShown = told.length > 0 && told.every((where) => where in STEP_OF);
  const go = (): void => {
    if (step === 0 && !draft.name.trim()) setOwn({ name: words.wantName });
    else if (step === 2 && draft.categories?.length === 0) setOwn({ categories: words.wantCategory });
    else if (!last) setStep(step + 1);
    else
      saving.mutate(undefined, {
        onError: (error) =>
          setStep(Math.min(...Object.keys(wrongIn(error)).map((where) => STEP_OF[where] ?? LAST), LAST)),
      });
  };
  const shared = { draft, set, choices, wrong };
  const parts = [
    <Goal key="goal" {...shared} />,
    <Who key="who" {...shared} />,
    <What key="what" {...shared} />,
    <Posters key="posters" {...shared} />,
    <Money key="money" {...shared} />,
  ];
  return (
    <form
      className="editor card"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        go();
      }}
    >
      <ol className="steps-list" aria-label={words.stepOf(step + 1, words.steps.length)}>
        {words.steps.map((name, number) => (
          <li key={name} aria-current={number === step ? "step" : undefined} className={number < step ? "done" : ""}>
            <span>{name}</span>
          </li>
        ))}
      </ol>
      <h2 ref={heading} tabIndex={-1} className="unseen">
        {words.steps[step]}
      </h2>
      <div className="stack">{parts[step]}</div>
      {!allShown && (
        <Wrong
          error={saving.error}
          theirs={base && (() => void catchUp(false))}
          mine={base && (() => void catchUp(true))}
        />
      )}
      <div className="row end">
        {step > 0 && <Button onPress={() => setStep(step - 1)}>{words.previous}</Button>}
        <Button kind="main" type="submit" isDisabled={saving.isPending}>
          {last ? (base ? words.saveChange : words.save) : words.next}
        </Button>
      </div>
    </form>
  );
}

export default function Editor(): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const { campaign } = useParams();
  const choices = useQuery({ queryKey: ["campaign-choices"], queryFn: () => read("/v1/campaign-choices") });
  const was = useQuery({
    queryKey: ["campaign", campaign],
    queryFn: () => read("/v1/campaigns/{campaign_id}", { params: { path: { campaign_id: campaign ?? "" } } }),
    enabled: Boolean(campaign),
  });
  return (
    <Page title={was.data?.name ?? words.create} back={<Link to="/campaigns">{words.back}</Link>}>
      <Loaded query={choices} lines={8}>
        {(found) =>
          campaign ? (
            <Loaded query={was}>
              {(one) => (
                <Form key={one.campaign_id} was={one} choices={found} again={async () => (await was.refetch()).data} />
              )}
            </Loaded>
          ) : (
            <Form choices={found} />
          )
        }
      </Loaded>
    </Page>
  );
}

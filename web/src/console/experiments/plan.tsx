/** Plans an experiment, with its size worked out beside it. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Link, useNavigate } from "react-router";
import type { components } from "../../api/generated.d.ts";
import { read, send } from "../client.ts";
import { Button, Cards, Choice, NumberField, Page, TextField, Wrong } from "../kit/index.ts";
import { useWords } from "../language.tsx";
import { useSession } from "../session.tsx";
import "./experiments.css";
import { Power } from "./power.tsx";
import { EXPERIMENT_WORDS, type ExperimentWords } from "./words.ts";

type ExperimentIn = components["schemas"]["ExperimentIn"];
type Arm = ExperimentIn["arms"][number];
const TOLERATED = 0.1;
const LONGEST_ID = 40;

export interface Plan {
  readonly question: string;
  readonly id: string;
  readonly what: "coupons" | "personalize" | "creative" | "tuning";
  readonly version: number | null;
  readonly metric: string;
  readonly guardrail: string;
  readonly window: number;
  readonly traffic: number;
  readonly design: "sequential" | "fixed";
}
const FRESH: Plan = {
  question: "",
  id: "",
  what: "coupons",
  version: null,
  metric: "spend",
  guardrail: "discount",
  window: 28,
  traffic: 1,
  design: "sequential",
};

function idOf(question: string): string {
  const plain = question
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "");
  return plain.slice(0, LONGEST_ID).replace(/-+$/, "") || `experiment-${Date.now().toString(36)}`;
}

/** An experiment of dials has chosen its version before (`lacks`). */
function armsOf(plan: Plan): Arm[] {
  const on: Omit<Arm, "name"> = { share: 0.5, personalize: true, coupons: true, creative: true };
  if (plan.what === "tuning" && plan.version !== null)
    return [
      { ...on, name: "as-it-is", tuning: null },
      { ...on, name: `version-${plan.version}`, tuning: plan.version },
    ];
  return [
    { ...on, name: "without", [plan.what]: false },
    { ...on, name: "with" },
  ];
}

type Lacking = Partial<Readonly<Record<"question" | "version", string>>>;

/** What is still to be said before it can be saved, by its field. */
function lacks(plan: Plan, words: ExperimentWords): Lacking {
  return {
    ...(plan.question.trim() ? {} : { question: words.wantQuestion }),
    ...(plan.what === "tuning" && plan.version === null ? { version: words.wantVersion } : {}),
  };
}

function bodyOf(plan: Plan, units: number): ExperimentIn {
  return {
    experiment_id: plan.id || idOf(plan.question),
    hypothesis: plan.question.trim(),
    arms: armsOf(plan),
    metric: plan.metric,
    guardrails: plan.guardrail && plan.guardrail !== plan.metric ? { [plan.guardrail]: TOLERATED } : {},
    traffic: plan.traffic,
    window_days: plan.window,
    design: plan.design,
    planned_units: units,
  };
}

/** Choices from their words: each has a name and a sentence. */
const optionsOf = <K extends string>(words: Readonly<Record<string, readonly [string, string]>>) =>
  Object.entries(words).map(([id, [name, about]]) => ({ id: id as K, name, about }));

function Versions({
  plan,
  set,
  wrong,
}: {
  readonly plan: Plan;
  readonly set: (change: Partial<Plan>) => void;
  readonly wrong: string | undefined;
}): ReactNode {
  const words = useWords(EXPERIMENT_WORDS);
  const found = useQuery({ queryKey: ["tuning", "list"], queryFn: () => read("/v1/tuning/versions") });
  // What nobody has applied may not reach shoppers by way of an experiment.
  const applied = found.data?.versions.filter((one) => one.state === "applied") ?? [];
  return (
    <Choice
      label={words.version}
      value={plan.version === null ? null : String(plan.version)}
      onChange={(id) => set({ version: Number(id) })}
      options={applied.map((one) => ({
        id: String(one.version),
        name: words.versionNote(one.version, one.note),
      }))}
      help={found.data && applied.length === 0 ? words.noVersions : undefined}
      wrong={wrong}
      required
    />
  );
}

export default function PlanPage(): ReactNode {
  const words = useWords(EXPERIMENT_WORDS);
  const { may } = useSession();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [plan, setPlan] = useState(FRESH);
  const [smallest, setSmallest] = useState(0.1);
  const [units, setUnits] = useState(0);
  const [wrong, setWrong] = useState<Lacking>({});
  const set = (change: Partial<Plan>): void => {
    setWrong({});
    setPlan((was) => ({ ...was, ...change }));
  };
  const saving = useMutation({
    mutationFn: () => send("post", "/v1/experiments", { body: bodyOf(plan, units) }),
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: ["experiments"] });
      void navigate(`/experiments/${made.experiment_id}`);
    },
  });
  const { tuning, ...plain } = words.whats;
  const whats = may("tuning") && tuning ? { ...plain, tuning } : plain;
  const unsized = plan.design === "fixed" && units === 0; // such a test is read at its size
  const metrics = Object.entries(words.metrics).map(([id, name]) => ({ id, name }));
  return (
    <Page title={words.create} back={<Link to="/experiments">{words.back}</Link>}>
      <div className="desk">
        <form
          className="card"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            if (unsized) return;
            const lacking = lacks(plan, words);
            setWrong(lacking);
            if (Object.keys(lacking).length === 0) saving.mutate();
          }}
        >
          <TextField
            label={words.question}
            value={plan.question}
            onChange={(question) => set({ question })}
            placeholder={words.questionPlaceholder}
            maxLength={400}
            wrong={wrong.question}
            required
            autoFocus
          />
          <Cards
            label={words.what}
            value={plan.what}
            options={optionsOf<Plan["what"]>(whats)}
            onChange={(what) => set({ what })}
          />
          {plan.what === "tuning" && <Versions plan={plan} set={set} wrong={wrong.version} />}
          <Choice label={words.measure} value={plan.metric} onChange={(metric) => set({ metric })} options={metrics} />
          <Choice
            label={words.guardrail}
            help={words.guardrailHelp}
            value={plan.guardrail || "none"}
            onChange={(id) => set({ guardrail: id === "none" ? "" : id })}
            options={[{ id: "none", name: words.noGuardrail }, ...metrics.filter((one) => one.id !== plan.metric)]}
          />
          <div className="pair">
            <NumberField
              label={words.window}
              value={plan.window}
              onChange={(window) => set({ window: Number.isNaN(window) ? FRESH.window : window })}
              least={1}
              most={365}
            />
            <NumberField
              label={words.traffic}
              value={plan.traffic}
              onChange={(traffic) => set({ traffic: Number.isNaN(traffic) ? 1 : traffic })}
              least={0.01}
              most={1}
              step={0.01}
              format={{ style: "percent" }}
            />
          </div>
          <Cards
            label={words.designAsk}
            value={plan.design}
            options={optionsOf<Plan["design"]>(words.designs)}
            onChange={(design) => set({ design })}
          />
          <Wrong error={saving.error} />
          <div className="row end">
            <Button kind="main" type="submit" isDisabled={saving.isPending || unsized}>
              {words.save}
            </Button>
          </div>
        </form>
        <Power plan={plan} smallest={smallest} onSmallest={setSmallest} sized={setUnits} />
      </div>
    </Page>
  );
}

/** The editor's steps, without that of the posters. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { type Answer, send } from "../client.ts";
import {
  Button,
  Cards,
  Choice,
  DayField,
  NumberField,
  type Option,
  TextArea,
  TextField,
  useLater,
} from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { useSegmentNames } from "../told/names.ts";
import { audienceOf, type Draft } from "./draft.ts";
import { CAMPAIGN_WORDS } from "./words.ts";

export type Choices = Answer<"/v1/campaign-choices", "get">;

export interface StepProps {
  readonly draft: Draft;
  readonly set: (change: Partial<Draft>) => void;
  readonly choices: Choices;
  readonly wrong: Readonly<Record<string, string>>;
}

export function Goal({ draft, set, wrong }: StepProps): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  return (
    <>
      <TextField
        label={words.name}
        value={draft.name}
        onChange={(name) => set({ name })}
        help={words.nameHelp}
        placeholder={words.namePlaceholder}
        maxLength={120}
        wrong={wrong.name}
        autoFocus
        required
      />
      <Cards
        label={words.askGoal}
        value={draft.objective}
        onChange={(id) => set({ objective: id as Draft["objective"] })}
        options={Object.entries(words.goals).map(([id, [name, about]]) => ({ id, name, about }))}
      />
    </>
  );
}

function Reach({ draft }: { readonly draft: Draft }): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const { count } = useFormats();
  const body = useLater(audienceOf(draft));
  const whole =
    draft.audience === "everybody" ||
    (draft.audience === "labels" ? draft.label && draft.value : draft.audience === "list" ? body.members : draft.of);
  const found = useQuery({
    queryKey: ["campaign-reach", body],
    queryFn: () => send("post", "/v1/campaigns/audience", { body }),
    enabled: Boolean(whole),
    placeholderData: (was) => was,
  });
  return (
    <p className="reach" role="status">
      {whole && found.data && words.reach(count(found.data.reachable), count(found.data.members))}
      {found.data && found.data.unknown.length > 0 && (
        <small className="help">{words.unknown(found.data.unknown.join(", "))}</small>
      )}
    </p>
  );
}

/** Labels that are asked for beside the one that can be chosen here; they can be left out. */
function Others({ others, set }: Pick<StepProps, "set"> & { readonly others: Draft["others"] }): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const told = Object.entries(others);
  if (told.length === 0) return null;
  return (
    <ul className="row" aria-label={words.labels}>
      {told.map(([label, value]) => (
        <li key={label} className="tag">
          {label.replaceAll("_", " ")}: {value}{" "}
          <button
            type="button"
            className="sort"
            aria-label={words.dropCategory(label)}
            onClick={() => set({ others: Object.fromEntries(told.filter(([name]) => name !== label)) })}
          >
            ×
          </button>
        </li>
      ))}
    </ul>
  );
}

export function Who({ draft, set, choices, wrong }: StepProps): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const named = useSegmentNames();
  const { count } = useFormats();
  const kinds: Option[] = [{ id: "everybody", name: words.everybody, about: words.everybodyAbout }];
  if (choices.clusters.length > 0) kinds.push({ id: "cluster", name: words.cluster });
  if (choices.labels.length > 0) kinds.push({ id: "labels", name: words.labels });
  if (choices.segments.length > 0) kinds.push({ id: "segment", name: words.segment });
  kinds.push({ id: "list", name: words.list_ });
  const values = choices.labels.find((one) => one.name === draft.label)?.values ?? [];
  return (
    <>
      <Cards
        label={words.askWho}
        value={draft.audience}
        onChange={(id) => set({ audience: id as Draft["audience"], of: "" })}
        options={kinds}
      />
      {draft.audience === "cluster" && (
        <Choice
          label={words.whichCluster}
          value={draft.of || null}
          onChange={(of) => set({ of })}
          wrong={wrong.audience}
          options={choices.clusters.map((one) => ({
            id: one.cluster_id,
            name: one.name,
            about: `${words.size(count(one.members))}. ${one.description}`,
          }))}
        />
      )}
      {draft.audience === "segment" && (
        <Choice
          label={words.segmentId}
          value={draft.of || null}
          onChange={(of) => set({ of })}
          wrong={wrong.audience}
          options={choices.segments.map((one) => ({
            id: one.segment_id,
            name: named(one.name),
            about: one.description,
          }))}
        />
      )}
      {draft.audience === "labels" && (
        <>
          <Choice
            label={words.whichLabel}
            value={draft.label || null}
            onChange={(label) => set({ label, value: "" })}
            wrong={wrong.audience}
            options={choices.labels.map((one) => ({ id: one.name, name: one.name.replaceAll("_", " ") }))}
          />
          <Choice
            label={words.whichValue}
            value={draft.value || null}
            onChange={(value) => set({ value })}
            options={values.map((one) => ({ id: one.value, name: one.value, about: words.size(count(one.members)) }))}
          />
          <Others others={draft.others} set={set} />
        </>
      )}
      {draft.audience === "list" && (
        <TextArea
          label={words.members}
          help={words.membersHelp}
          value={draft.listed ?? ""}
          onChange={(listed) => set({ listed })}
          wrong={wrong["audience.members"]}
        />
      )}
      <Reach draft={draft} />
    </>
  );
}

export function What({ draft, set, choices, wrong }: StepProps): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const money: Intl.NumberFormatOptions = {
    style: "currency",
    currency: choices.currency,
    currencyDisplay: "narrowSymbol",
  };
  const change = (place: number, amount: number): void =>
    set({ discounts: draft.discounts.map((was, number) => (number === place ? amount : was)) });
  const kept = draft.categories ?? [];
  return (
    <>
      <fieldset className="ladder">
        <legend>{words.askWhat}</legend>
        <p className="help">{words.discountHelp}</p>
        {draft.discounts.map((amount, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a rung is its place
          <div key={place} className="row">
            <NumberField
              label={words.discount(place + 1)}
              value={amount}
              onChange={(value) => change(place, value)}
              least={0.01}
              step={0.01}
              format={money}
              wrong={place === 0 ? wrong.ladder : undefined}
            />
            {draft.discounts.length > 1 && (
              <Button
                kind="quiet"
                aria-label={words.dropRung(place + 1)}
                onPress={() =>
                  set({
                    discounts: draft.discounts.filter((_, number) => number !== place),
                    percents: draft.percents.filter((_, number) => number !== place),
                  })
                }
              >
                ×
              </Button>
            )}
          </div>
        ))}
        {draft.discounts.length < 8 && (
          <Button
            kind="quiet"
            onPress={() =>
              set({
                discounts: [...draft.discounts, (draft.discounts.at(-1) ?? 0) + 0.5],
                percents: [...draft.percents, null],
              })
            }
          >
            {words.addRung}
          </Button>
        )}
      </fieldset>
      <Cards
        label={words.products}
        value={draft.categories === null ? "any" : "some"}
        onChange={(id) => set({ categories: id === "any" ? null : [] })}
        options={[
          { id: "any", name: words.anything },
          { id: "some", name: words.someCategories },
        ]}
      />
      {draft.categories !== null && (
        <>
          <Choice
            label={words.addCategory}
            value={null}
            wrong={wrong.categories}
            onChange={(name) => set({ categories: [...kept.filter((one) => one !== name), name] })}
            options={choices.categories.map((one) => ({ id: one.category, name: one.category }))}
          />
          <ul className="row" aria-label={words.categories}>
            {kept.map((name) => (
              <li key={name} className="tag">
                {name}{" "}
                <button
                  type="button"
                  className="sort"
                  aria-label={words.dropCategory(name)}
                  onClick={() => set({ categories: kept.filter((one) => one !== name) })}
                >
                  ×
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
      <details open={Boolean(wrong.per_member || wrong.minimum_basket_minor)}>
        <summary>{words.more}</summary>
        <div className="stack">
          <NumberField
            label={words.perMember}
            value={draft.perMember}
            onChange={(perMember) => set({ perMember })}
            wrong={wrong.per_member}
            least={1}
            most={1000}
          />
          <NumberField
            label={words.minimum}
            value={draft.minimum}
            onChange={(minimum) => set({ minimum })}
            wrong={wrong.minimum_basket_minor}
            least={0}
            step={0.01}
            format={money}
          />
        </div>
      </details>
    </>
  );
}

export function Money({ draft, set, choices, wrong }: StepProps): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const { money } = useFormats();
  return (
    <>
      <p className="ask">{words.askMoney}</p>
      <NumberField
        label={words.budgetLabel}
        value={draft.budget}
        onChange={(budget) => set({ budget })}
        least={0}
        step={0.01}
        format={{ style: "currency", currency: choices.currency, currencyDisplay: "narrowSymbol" }}
        help={words.budgetHelp(money(choices.second_person_above_minor, choices.currency))}
        wrong={wrong.budget_minor ?? wrong.ladder}
        required
      />
      <div className="pair">
        <DayField
          label={words.starts}
          value={draft.starts}
          onChange={(starts) => set({ starts })}
          wrong={wrong.starts_at}
          required
        />
        <DayField
          label={words.ends}
          value={draft.ends}
          onChange={(ends) => set({ ends })}
          least={draft.starts}
          wrong={wrong.ends_at}
          required
        />
      </div>
      <NumberField
        label={words.holdout}
        value={draft.holdout / 100}
        onChange={(share) => set({ holdout: Math.round(share * 100) })}
        least={0}
        most={0.5}
        step={0.01}
        format={{ style: "percent" }}
        help={words.holdoutHelp}
        wrong={wrong.holdout}
      />
    </>
  );
}

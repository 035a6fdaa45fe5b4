/** One condition of a rule, as four fields. */
import type { ReactNode } from "react";
import { Button, Choice, type Option, TextField } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { useSegmentNames } from "../told/names.ts";
import { useFeatures } from "../told/rules.ts";
import { type Draft, type How, type Kind, scaleOf, type Vocabulary } from "./rule.ts";
import { SEGMENT_WORDS } from "./words.ts";

const BOUNDS: readonly How[] = ["at_least", "at_most", "above", "below"];
const HAS: readonly How[] = ["is", "is_not"];
const ANY = "any-value";

interface Edited {
  readonly vocabulary: Vocabulary;
  readonly draft: Draft;
  readonly change: (draft: Draft) => void;
}

function FeatureValue({ vocabulary, draft, change }: Edited): ReactNode {
  const words = useWords(SEGMENT_WORDS);
  const { number, money, currency } = useFormats();
  const feature = vocabulary.features.find((one) => one.name === draft.name);
  const shown = (value: number): string =>
    feature?.unit === "money" ? money(value) : number(value / scaleOf(feature?.unit, currency));
  const units: Readonly<Record<string, string>> = { money: words.moneyHelp, share: words.shareHelp };
  const range = feature ? words.ranges(shown(feature.least), shown(feature.mean), shown(feature.most)) : "";
  return (
    <TextField
      label={words.value}
      value={draft.value}
      onChange={(value) => change({ ...draft, value })}
      help={[units[feature?.unit ?? ""], range].filter(Boolean).join(", ")}
    />
  );
}

function ChosenValue({ vocabulary, draft, change }: Edited): ReactNode {
  const words = useWords(SEGMENT_WORDS);
  const named = useSegmentNames();
  const said: Readonly<Record<string, string>> = { True: words.yes, False: words.no };
  const values = vocabulary.labels.find((one) => one.name === draft.name)?.values ?? [];
  const options: readonly Option[] =
    draft.kind === "segment"
      ? vocabulary.segments.map((one) => ({ id: one.name, name: named(one.values[0] ?? one.name) }))
      : [{ id: ANY, name: words.anyValue }, ...values.map((id) => ({ id, name: said[id] ?? id }))];
  return (
    <Choice
      label={words.value}
      value={draft.value || (draft.kind === "label" ? ANY : null)}
      onChange={(value) => change({ ...draft, value: value === ANY ? "" : value })}
      options={options}
    />
  );
}

interface LineProps extends Edited {
  readonly number: number;
  readonly drop: (() => void) | undefined;
}

export function Line({ vocabulary, draft, number, change, drop }: LineProps): ReactNode {
  const words = useWords(SEGMENT_WORDS);
  const called = useFeatures();
  const kinds: readonly Option[] = [
    { id: "feature", name: words.aFeature },
    ...(vocabulary.labels.length > 0 ? [{ id: "label", name: words.aLabel }] : []),
    ...(vocabulary.segments.length > 0 ? [{ id: "segment", name: words.aSegment }] : []),
  ];
  const named: readonly Option[] =
    draft.kind === "feature"
      ? vocabulary.features.map((one) => ({ id: one.name, name: called(one) }))
      : vocabulary.labels.map((one) => ({ id: one.name, name: one.name.replaceAll("_", " ") }));
  const firstOf: Readonly<Record<Kind, string>> = {
    feature: vocabulary.features[0]?.name ?? "",
    label: vocabulary.labels[0]?.name ?? "",
    segment: "segment",
  };
  const turn = (kind: string): void => {
    const how = kind === "feature" ? "at_least" : "is";
    change({ ...draft, kind: kind as Kind, name: firstOf[kind as Kind], how, value: "" });
  };
  const hows = (draft.kind === "feature" ? BOUNDS : HAS).map((id) => ({ id, name: words.hows[id] ?? id }));
  const Value = draft.kind === "feature" ? FeatureValue : ChosenValue;
  return (
    <fieldset className="condition">
      <legend>{words.condition(number)}</legend>
      <Choice label={words.subject} value={draft.kind} onChange={turn} options={kinds} />
      {draft.kind !== "segment" && (
        <Choice
          label={words.which}
          value={draft.name}
          onChange={(name) => change({ ...draft, name, value: "" })}
          options={named}
        />
      )}
      <Choice
        label={words.how}
        value={draft.how}
        onChange={(how) => change({ ...draft, how: how as How })}
        options={hows}
      />
      <Value vocabulary={vocabulary} draft={draft} change={change} />
      {drop && (
        <Button kind="quiet" aria-label={words.drop(number)} onPress={drop}>
          ×
        </Button>
      )}
    </fieldset>
  );
}

/** Every value of the policy, in groups. */
import type { ReactNode } from "react";
import { useFormats, useWords } from "../language.tsx";
import { type Limit, type Policy, type Values, valueAt } from "./values.ts";
import { DISPLAY_WORDS } from "./words.ts";

interface SlidersProps {
  readonly policy: Policy;
  readonly values: Values;
  readonly flaws: Readonly<Record<string, string>>;
  readonly set: (place: string, value: number) => void;
}

function Slider({
  place,
  label,
  policy,
  values,
  flaws,
  set,
}: SlidersProps & { readonly place: string; readonly label: string }): ReactNode {
  const words = useWords(DISPLAY_WORDS);
  const { number } = useFormats();
  const limit: Limit = policy.limits[place] ?? { least: 0, most: 1, step: 0.1, unit: "s" };
  const told = (value: number): string => (limit.unit === "valence" ? number(value, 2) : words.seconds(number(value)));
  const [value, before, flaw] = [valueAt(values, place), valueAt(policy.values, place), flaws[place]];
  const id = `at-${place.replace(".", "-")}`;
  return (
    <div className={value === before ? "policy-value" : "policy-value changed"}>
      <label htmlFor={id}>{label}</label>
      <output htmlFor={id}>{told(value)}</output>
      <input
        id={id}
        type="range"
        min={limit.least}
        max={limit.most}
        step={limit.step}
        value={value}
        data-testid={`slider-${place}`}
        aria-valuetext={told(value)}
        aria-invalid={Boolean(flaw)}
        {...(flaw ? { "aria-describedby": `${id}-flaw` } : {})}
        onChange={(event) => set(place, Number(event.target.value))}
      />
      <span className="muted was">{value !== before && words.was(told(before))}</span>
      {flaw && (
        <p className="react-aria-FieldError" id={`${id}-flaw`} role="alert">
          {flaw}
        </p>
      )}
    </div>
  );
}

export function Sliders(props: SlidersProps): ReactNode {
  const words = useWords(DISPLAY_WORDS);
  return (
    <div className="stack">
      {words.groups.map(({ title, about, fields }) => (
        <fieldset key={title} className="card">
          <legend>{title}</legend>
          <p className="muted">{about}</p>
          {Object.entries(fields).map(([place, label]) => (
            <Slider key={place} place={place} label={label} {...props} />
          ))}
        </fieldset>
      ))}
    </div>
  );
}

/** One of a few, each with a sentence: to be read before it is chosen. */
import type { ReactNode } from "react";
import { Label, Radio, RadioGroup } from "react-aria-components";
import type { Option } from "./fields.tsx";

interface CardsProps<K extends string> {
  readonly label: string;
  readonly value: K;
  readonly onChange: (id: K) => void;
  readonly options: readonly (Option & { readonly id: K })[];
}

export function Cards<K extends string>({ label, value, onChange, options }: CardsProps<K>): ReactNode {
  return (
    <RadioGroup className="cards" value={value} onChange={(id) => onChange(id as K)}>
      <Label>{label}</Label>
      <div>
        {options.map((option) => (
          <Radio key={option.id} value={option.id} className="pick">
            <strong>{option.name}</strong>
            {option.about && <small className="help">{option.about}</small>}
          </Radio>
        ))}
      </div>
    </RadioGroup>
  );
}

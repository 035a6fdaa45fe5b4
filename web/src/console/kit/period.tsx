/** The days that a page is about. They stand in its address, so that a link shows the same. */
import type { ReactNode } from "react";
import { ToggleButton, ToggleButtonGroup } from "react-aria-components";
import { useSearchParams } from "react-router";
import { useWords } from "../language.tsx";
import { DayField } from "./fields.tsx";
import { KIT_WORDS } from "./words.ts";

const DAY_MS = 86_400_000;
const PRESETS = [7, 28, 90] as const;

/** Both days belong to it. */
export interface Days {
  readonly from: string;
  readonly to: string;
}

const written = (at: number): string => new Date(at).toISOString().slice(0, 10);
const lengthOf = ({ from, to }: Days): number => Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS) + 1;

function last(days: number): Days {
  return { from: written(Date.now() - (days - 1) * DAY_MS), to: written(Date.now()) };
}

/** The period of the address, the latest 28 days without one. */
export function usePeriod(usual = 28): readonly [Days, (days: Days) => void] {
  const [search, setSearch] = useSearchParams();
  const [from, to] = [search.get("from"), search.get("to")];
  const valid = from && to && !Number.isNaN(Date.parse(from)) && !Number.isNaN(Date.parse(to)) && from <= to;
  const choose = (days: Days): void =>
    setSearch(
      (was) => {
        was.set("from", days.from);
        was.set("to", days.to);
        return was;
      },
      { replace: true },
    );
  return [valid ? { from, to } : last(usual), choose];
}

export function Period({
  value,
  onChange,
}: {
  readonly value: Days;
  readonly onChange: (days: Days) => void;
}): ReactNode {
  const words = useWords(KIT_WORDS);
  const today = written(Date.now());
  const preset = value.to === today ? PRESETS.find((days) => days === lengthOf(value)) : undefined;
  const set = (days: Days): void => {
    if (days.from && days.to && days.from <= days.to) onChange(days);
  };
  return (
    <fieldset className="period">
      <legend className="unseen">{words.period}</legend>
      <ToggleButtonGroup
        className="toggle"
        aria-label={words.period}
        selectedKeys={preset ? [String(preset)] : []}
        onSelectionChange={(keys) => {
          const [days] = keys;
          if (days) onChange(last(Number(days)));
        }}
      >
        {PRESETS.map((days) => (
          <ToggleButton key={days} id={String(days)}>
            {words.days(days)}
          </ToggleButton>
        ))}
      </ToggleButtonGroup>
      <DayField label={words.from} value={value.from} most={value.to} onChange={(from) => set({ ...value, from })} />
      <DayField
        label={words.to}
        value={value.to}
        least={value.from}
        most={today}
        onChange={(to) => set({ ...value, to })}
      />
    </fieldset>
  );
}

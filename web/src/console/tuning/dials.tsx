/** The dials themselves, by group. */
import type { ReactNode } from "react";
import { Link } from "react-router";
import type { Answer } from "../client.ts";
import { Button, Card, Range, Switch } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { useSession } from "../session.tsx";
import { TUNING_WORDS } from "./words.ts";

export type Now = Answer<"/v1/tuning", "get">;
export type Values = Readonly<Record<string, Readonly<Record<string, number | boolean | null>>>>;
type Dial = Now["dials"][number];
const SHARES = new Set(["discounts.deepest", "exploration.coupons"]);
const WHOLE = new Set(["discounts.weekly", "moods.short", "people.patience"]);
const MOODS = new Set(["moods.low", "moods.brief", "moods.sell", "people.mood"]);

/** Where a dial stands. */
export function standing(values: Values, dial: Dial): number {
  const [group = "", name = ""] = dial.name.split(".");
  const value = values[group]?.[name];
  if (typeof value === "boolean") return Number(value);
  return value ?? dial.shipped;
}

export function turned(values: Values, dial: Dial, to: number): Values {
  const [group = "", name = ""] = dial.name.split(".");
  const value = dial.name === "moods.push" ? to > 0.5 : to;
  return { ...values, [group]: { ...values[group], [name]: value } };
}

function One({
  dial,
  values,
  turn,
}: {
  readonly dial: Dial;
  readonly values: Values;
  readonly turn: (to: number) => void;
}): ReactNode {
  const words = useWords(TUNING_WORDS);
  const { share, number, count } = useFormats();
  const [label = dial.name, help = dial.told] = words.names[dial.name] ?? [];
  const value = standing(values, dial);
  if (dial.name === "moods.push")
    return <Switch label={label} help={help} on={value > 0.5} onChange={(on) => turn(Number(on))} />;
  const written = MOODS.has(dial.name)
    ? words.fromMood(number(value, 2), value)
    : SHARES.has(dial.name)
      ? share(value, 0)
      : WHOLE.has(dial.name)
        ? count(value)
        : number(value, 2);
  return (
    <Range
      label={label}
      help={help}
      value={value}
      onChange={turn}
      least={dial.least}
      most={dial.most}
      step={dial.step}
      written={written}
    />
  );
}

/** What no dial can turn off, and where a kiosk's calm is set. */
function Always(): ReactNode {
  const words = useWords(TUNING_WORDS);
  const { may } = useSession();
  return (
    <>
      <p className="help">{words.always}</p>
      {may("display") && (
        <p className="help">
          {words.kiosks} <Link to="/display">{words.displayPolicy}</Link>
        </p>
      )}
    </>
  );
}

export function Dials({
  now,
  values,
  change,
  changed,
}: {
  readonly now: Now;
  readonly values: Values;
  readonly change: (values: Values) => void;
  readonly changed: number;
}): ReactNode {
  const words = useWords(TUNING_WORDS);
  const groups = [...new Set(now.dials.map((dial) => dial.name.split(".")[0] ?? ""))];
  return (
    <Card
      title={words.dials}
      about={changed > 0 ? words.changed(changed) : undefined}
      actions={
        changed > 0 && (
          <Button kind="quiet" onPress={() => change(now.current.values as Values)}>
            {words.reset}
          </Button>
        )
      }
    >
      {groups.map((group) => (
        <details key={group} className="dials" open={group !== "lean" && group !== "exploration"}>
          <summary>{words.groups[group] ?? group}</summary>
          <div className="stack">
            {now.dials
              .filter((dial) => dial.name.startsWith(`${group}.`))
              .map((dial) => (
                <One key={dial.name} dial={dial} values={values} turn={(to) => change(turned(values, dial, to))} />
              ))}
            {group === "people" && <Always />}
          </div>
        </details>
      ))}
    </Card>
  );
}

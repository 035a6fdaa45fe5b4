/** One number with its change, and a link to what it means. */
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useFormats, useWords } from "../language.tsx";
import { KIT_WORDS } from "./words.ts";

interface ChangeProps {
  /** The relative change: 0.1 is a tenth more. */
  readonly change: number | null;
  /** Whether more is better; null where neither is. */
  readonly good?: "more" | "less" | null;
}

/** A change with its sign. Colour and sign say the same. */
export function Change({ change, good = null }: ChangeProps): ReactNode {
  const words = useWords(KIT_WORDS);
  const { signed, share } = useFormats();
  if (change === null) return null;
  if (Math.abs(change) < 0.0005) return <span className="change">{words.unchanged}</span>;
  const tone = good === null ? "" : change > 0 === (good === "more") ? "better" : "worse";
  return (
    <span className={`change ${tone}`}>
      {signed(change, (value) => share(value))} <span className="unseen">{words.before}</span>
    </span>
  );
}

interface FigureProps extends Partial<ChangeProps> {
  readonly name: string;
  readonly value: string;
  /** Beneath it: an interval, what it is of. */
  readonly note?: ReactNode;
  /** Its name among the definitions, for example conversion_rate. */
  readonly definition?: string;
}

/** Leads to what a number means; `at` names the figure among the definitions, `name` is what is shown. */
export function Meaning({ name, at }: { readonly name: string; readonly at: string }): ReactNode {
  const words = useWords(KIT_WORDS);
  return (
    <Link to={`/today/definitions#${at}`} className="definition" aria-label={`${words.what} ${name}`}>
      ?
    </Link>
  );
}

export function Figure({ name, value, change, good = null, note, definition }: FigureProps): ReactNode {
  return (
    <div className="figure">
      <p className="name">
        {name}
        {definition && <Meaning name={name} at={definition} />}
      </p>
      <p className="value">{value}</p>
      <p className="below">
        {change !== undefined && <Change change={change} good={good} />}
        {note && <span className="muted">{note}</span>}
      </p>
    </div>
  );
}

/** What every page is made of: its frame, cards, and what stands in for data that is not there. */
import { type ReactNode, useEffect, useId } from "react";
import { ProgressBar } from "react-aria-components";
import { ApiError, NetworkError } from "../../api/http.ts";
import { useWords } from "../language.tsx";
import { Button } from "./button.tsx";
import { KIT_WORDS } from "./words.ts";

export type Tone = "plain" | "good" | "warn" | "bad";

interface PageProps {
  readonly title: string;
  readonly about?: ReactNode;
  readonly actions?: ReactNode;
  /** Leads back to the list that this page is of. */
  readonly back?: ReactNode;
  readonly children: ReactNode;
}

/** A page: the browser's title follows it. */
export function Page({ title, about, actions, back, children }: PageProps): ReactNode {
  useEffect(() => {
    document.title = `${title} · Aisle`;
  }, [title]);
  return (
    <>
      <header className="page-head">
        <div>
          {back && <p className="back">{back}</p>}
          <h1 tabIndex={-1}>{title}</h1>
          {about && <p className="muted">{about}</p>}
        </div>
        {actions && <div className="row">{actions}</div>}
      </header>
      {children}
    </>
  );
}

interface CardProps {
  readonly title: ReactNode;
  readonly about?: ReactNode;
  readonly actions?: ReactNode;
  /** As wide as the page. */
  readonly wide?: boolean;
  readonly children: ReactNode;
}

export function Card({ title, about, actions, wide, children }: CardProps): ReactNode {
  const id = useId();
  return (
    <section className={wide ? "card wide" : "card"} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {actions && <div className="row">{actions}</div>}
      </header>
      {about && <p className="muted">{about}</p>}
      {children}
    </section>
  );
}

/** A few words in a frame; `tone` never stands alone, the words say it too. */
export function Tag({ tone = "plain", children }: { readonly tone?: Tone; readonly children: ReactNode }): ReactNode {
  return <span className={`tag ${tone}`}>{children}</span>;
}

/** Names and values. */
export function Facts({
  facts,
}: {
  /** Name, value, and how the name is shown where that is not as it is. */
  readonly facts: readonly (readonly [name: string, value: ReactNode, shown?: ReactNode])[];
}): ReactNode {
  return (
    <dl className="facts">
      {facts.map(([name, value, shown], place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: names repeat, as two lines of a history at one minute do
        <div key={`${place} ${name}`}>
          <dt>{shown ?? name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Lines that hold the place of what is loading. */
export function Skeleton({ lines = 3 }: { readonly lines?: number }): ReactNode {
  const words = useWords(KIT_WORDS);
  return (
    <div className="skeleton">
      <p className="unseen" role="status">
        {words.loading}
      </p>
      {Array.from({ length: lines }, (_, line) => `line-${line}`).map((line) => (
        <span key={line} />
      ))}
    </div>
  );
}

/** Nothing is there: say what this place is for and what the next step is. */
export function Empty({
  title,
  children,
  action,
}: {
  readonly title?: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}): ReactNode {
  const words = useWords(KIT_WORDS);
  return (
    <div className="empty">
      <p className="lead">{title ?? words.empty}</p>
      {children && <p className="muted">{children}</p>}
      {action && <div className="row">{action}</div>}
    </div>
  );
}

/** What happened, what was kept, and what to do. */
export function Trouble({
  error,
  again,
}: {
  readonly error: Error;
  readonly again?: (() => void) | undefined;
}): ReactNode {
  const words = useWords(KIT_WORDS);
  const api = error instanceof ApiError ? error : undefined;
  const said = api?.status === 403 ? words.noRight : error instanceof NetworkError ? words.offline : error.message;
  return (
    <div className="trouble" role="alert">
      <p>
        <strong>{words.trouble}.</strong> {said}
      </p>
      {again && api?.status !== 403 && <Button onPress={again}>{words.again}</Button>}
    </div>
  );
}

interface Loading<T> {
  readonly data: T | undefined;
  readonly error: Error | null;
  readonly refetch?: () => unknown;
}

/** What a query is at: its skeleton, its trouble, or its data. Data that is there stays when a later look fails. */
export function Loaded<T>({
  query,
  lines,
  children,
}: {
  readonly query: Loading<T>;
  readonly lines?: number;
  readonly children: (data: T) => ReactNode;
}): ReactNode {
  const { data, error, refetch } = query;
  if (data === undefined && !error) return <Skeleton {...(lines ? { lines } : {})} />;
  return (
    <>
      {error && <Trouble error={error} again={refetch && (() => void refetch())} />}
      {data !== undefined && children(data)}
    </>
  );
}

/** How far something is; `value` of `most`. */
export function Progress({
  label,
  value,
  most = 1,
  written,
  tone = "plain",
}: {
  readonly label: string;
  readonly value: number;
  readonly most?: number;
  readonly written?: string;
  readonly tone?: Tone;
}): ReactNode {
  return (
    <ProgressBar
      aria-label={label}
      value={Math.min(value, most)}
      maxValue={most}
      className={`progress ${tone}`}
      {...(written ? { valueLabel: written } : {})}
    >
      {({ percentage, valueText }) => (
        <>
          <span className="track">
            <span className="fill" style={{ inlineSize: `${percentage ?? 0}%` }} />
          </span>
          <span className="written">{valueText}</span>
        </>
      )}
    </ProgressBar>
  );
}

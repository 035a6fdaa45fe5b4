/** Proactive greetings: which one may be shown now. Rules come from the page; the caps cannot be switched off. */

/** One rule, as the page writes it. */
export interface GreetingRule {
  readonly id: string;
  /** One text, or one per language. */
  readonly text: string | Readonly<Record<string, string>>;
  /** Paths that it is for, with `*`; none: every page. */
  readonly paths?: readonly string[];
  /** Seconds on the page before it may show. */
  readonly after_s?: number;
  /** How much of the page has been seen, in per cent. */
  readonly scrolled?: number;
  /** Seconds without any input. */
  readonly idle_s?: number;
  /** The pointer leaves the page at its top. */
  readonly leaving?: boolean;
  /** At most so often in a week; 1 without it, 3 at most. */
  readonly per_week?: number;
  /** What is said for the shopper when they press it; without it the chat only opens. */
  readonly say?: string;
}

/** What the page does right now. */
export interface Signals {
  readonly path: string;
  readonly here_s: number;
  readonly scrolled: number;
  readonly idle_s: number;
  readonly leaving: boolean;
}

/** When greetings were shown and closed, kept only with consent. */
export interface GreetingLog {
  readonly shown: readonly (readonly [id: string, at: number])[];
  readonly dismissed?: number | undefined;
  readonly opened?: number | undefined;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
/** At most one a day from all rules; a week's silence after one was closed, a day's after the chat was used. */
const CAPS = { all: DAY, dismissed: WEEK, opened: DAY, mostPerWeek: 3, least_s: 5 };

/** "/cart*" as a test of paths. */
export function matchesPath(path: string, patterns: readonly string[] | undefined): boolean {
  if (!patterns || patterns.length === 0) return true;
  return patterns.some((pattern) => {
    const source = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${source.join(".*")}$`).test(path);
  });
}

/** Whether the shopper is left alone, whatever the rules say. */
export function quiet({ shown, dismissed = 0, opened = 0 }: GreetingLog, now: number): boolean {
  const latest = Math.max(0, ...shown.map(([, at]) => at));
  return now - latest < CAPS.all || now - dismissed < CAPS.dismissed || now - opened < CAPS.opened;
}

/** The first rule that fits, within the caps. */
export function dueGreeting(
  rules: readonly GreetingRule[],
  signals: Signals,
  log: GreetingLog,
  now: number,
): GreetingRule | undefined {
  if (quiet(log, now)) return undefined;
  return rules.find(({ id, paths, after_s = 0, scrolled = 0, idle_s = 0, leaving = false, per_week = 1 }) => {
    const lately = log.shown.filter(([shown, at]) => shown === id && now - at < WEEK).length;
    return (
      lately < Math.min(per_week, CAPS.mostPerWeek) &&
      matchesPath(signals.path, paths) &&
      signals.here_s >= Math.max(after_s, CAPS.least_s) &&
      signals.scrolled >= scrolled &&
      signals.idle_s >= idle_s &&
      (!leaving || signals.leaving)
    );
  });
}

/** The log with one more, without what is too old to count. */
export function noted(
  log: GreetingLog,
  change: Partial<Omit<GreetingLog, "shown">> & { id?: string },
  now: number,
): GreetingLog {
  const { id, ...rest } = change;
  const shown = log.shown.filter(([, at]) => now - at < WEEK);
  return { ...log, ...rest, shown: id ? [...shown, [id, now]] : shown };
}

/** Rules as the page wrote them; what is no rule is left out. */
export function readRules(text: string | null): GreetingRule[] {
  try {
    const rules: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(rules) ? rules.filter((one) => one?.id && one.text) : [];
  } catch {
    return [];
  }
}

/** A rule's text in a language. */
export const textOf = ({ text }: GreetingRule, language: string): string =>
  typeof text === "string" ? text : (text[language] ?? text.en ?? Object.values(text)[0] ?? "");

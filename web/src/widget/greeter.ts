/** Watches the page for the moment of a greeting. Runs only where the shopper agreed to be remembered: caps need a memory. */
import { dueGreeting, type GreetingLog, type GreetingRule, noted } from "./greetings.ts";

const KEY = "aisle:greetings";
const LOOK_MS = 1000;

function readLog(): GreetingLog {
  try {
    const log = JSON.parse(localStorage.getItem(KEY) ?? "null") as GreetingLog | null;
    return Array.isArray(log?.shown) ? log : { shown: [] };
  } catch {
    return { shown: [] };
  }
}

/** Note that the chat was opened or a greeting closed, where there is a memory. */
export function noteGreeting(change: { id?: string; opened?: number; dismissed?: number }): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(noted(readLog(), change, Date.now())));
  } catch {
    // Without storage nobody is greeted twice on one page, and that has to do.
  }
}

/** Calls `show` once at most, when a rule fits. */
export class Greeter {
  private readonly started = Date.now();
  private touched = Date.now();
  private leaving = false;
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(
    private readonly rules: readonly GreetingRule[],
    private readonly show: (rule: GreetingRule) => void,
  ) {
    this.timer = setInterval(() => this.look(), LOOK_MS);
    for (const name of ["pointerdown", "keydown", "scroll"]) addEventListener(name, this.onInput, { passive: true });
    document.documentElement.addEventListener("mouseleave", this.onLeave);
  }

  /** Stop watching. */
  stop(): void {
    clearInterval(this.timer);
    for (const name of ["pointerdown", "keydown", "scroll"]) removeEventListener(name, this.onInput);
    document.documentElement.removeEventListener("mouseleave", this.onLeave);
  }

  private readonly onInput = (): void => {
    this.touched = Date.now();
  };

  private readonly onLeave = ({ clientY }: MouseEvent): void => {
    this.leaving = clientY <= 0;
    this.look();
    this.leaving = false;
  };

  private look(): void {
    if (document.visibilityState === "hidden") return;
    const now = Date.now();
    const { scrollHeight } = document.documentElement;
    const signals = {
      path: location.pathname,
      here_s: (now - this.started) / 1000,
      scrolled: scrollHeight > 0 ? (100 * (scrollY + innerHeight)) / scrollHeight : 0,
      idle_s: (now - this.touched) / 1000,
      leaving: this.leaving,
    };
    const rule = dueGreeting(this.rules, signals, readLog(), now);
    if (!rule) return;
    this.stop();
    noteGreeting({ id: rule.id });
    this.show(rule);
  }
}

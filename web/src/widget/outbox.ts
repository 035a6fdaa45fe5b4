/** Messages on their way: in order, over a reload, and one tab at a time. */
import type { Session } from "../api/session.ts";
import type { Said } from "../api/shopper.ts";
import { uuid7 } from "../lib/uuid.ts";

/** A message that the shop has not confirmed. */
export interface Pending extends Said {
  readonly id: string;
  readonly at: string;
  readonly state: "waiting" | "sending" | "refused";
  /** Why it was refused. */
  readonly why?: string;
  /** A file; it does not survive a reload. */
  readonly file?: File;
}

const readable = (one: unknown): one is Pending =>
  typeof one === "object" && one !== null && "id" in one && "text" in one;

/** The queue of one session; what other tabs put in is seen too. */
export class Outbox {
  private files: Pending[] = [];

  constructor(private readonly session: Session) {}

  /** Everything that waits, oldest first. */
  get all(): readonly Pending[] {
    const kept = this.session.waiting.filter(readable);
    return [...kept, ...this.files].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  }

  /** The next one to send. */
  get next(): Pending | undefined {
    return this.all.find((one) => one.state !== "refused");
  }

  /** Put a message at the end. */
  add(said: Said, file?: File): Pending {
    const one: Pending = { ...said, id: uuid7(), at: new Date().toISOString(), state: "waiting" };
    if (!file) this.store([...this.session.waiting.filter(readable), one]);
    else this.files.push({ ...one, file });
    return one;
  }

  /** Change how one stands. */
  mark(id: string, state: Pending["state"], why?: string): void {
    const change = (one: Pending): Pending =>
      one.id === id ? { ...without(one), state, ...(why ? { why } : {}) } : one;
    this.files = this.files.map(change);
    this.store(this.session.waiting.filter(readable).map(change));
  }

  /** Take one out. */
  remove(id: string): void {
    this.files = this.files.filter((one) => one.id !== id);
    this.store(this.session.waiting.filter(readable).filter((one) => one.id !== id));
  }

  /** Forget all. */
  clear(): void {
    this.files = [];
    this.store([]);
  }

  private store(entries: readonly Pending[]): void {
    this.session.waiting = [...entries];
  }
}

function without({ why: _, ...rest }: Pending): Omit<Pending, "why"> {
  return rest;
}

/** Run `work` while no other tab of the page runs it; without the browser's help two may, and the shop tells them apart. */
export async function alone(name: string, work: () => Promise<void>): Promise<void> {
  if (!navigator.locks) return work();
  await navigator.locks.request(name, work);
}

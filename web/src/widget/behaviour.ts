/** What a shopper does beside writing. Only the kind of an act leaves this file: no place, no time, no count of more than it takes. */
import type { Behaviour } from "../api/types.ts";

const RAGE = { presses: 5, within_ms: 1500 };
const HURRY = { turns: 5, within_ms: 2500 };
/** How long the same act is not told again. */
const QUIET_MS = 30_000;

/** Recognises acts; tells each kind at most once in a while. */
export class Watching {
  private presses: number[] = [];
  private pressed: unknown;
  private turns: number[] = [];
  private direction = 0;
  private readonly told = new Map<Behaviour, number>();

  constructor(
    private readonly tell: (kind: Behaviour) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** The same thing was pressed. */
  press(what: unknown): void {
    const now = this.now();
    if (what !== this.pressed) this.presses = [];
    this.pressed = what;
    this.presses = [...this.presses, now].filter((at) => now - at < RAGE.within_ms);
    if (this.presses.length >= RAGE.presses) this.found("rage_click");
  }

  /** The log was moved by hand, down (positive) or up. */
  scroll(by: number): void {
    const direction = Math.sign(by);
    if (direction === 0 || direction === this.direction) return;
    const now = this.now();
    this.direction = direction;
    this.turns = [...this.turns, now].filter((at) => now - at < HURRY.within_ms);
    if (this.turns.length > HURRY.turns) this.found("hurried_scroll");
  }

  /** The shopper came back to a chat that they had closed. */
  reopened(): void {
    this.found("reopened_chat");
  }

  private found(kind: Behaviour): void {
    const now = this.now();
    this.presses = [];
    this.turns = [];
    if (now - (this.told.get(kind) ?? Number.NEGATIVE_INFINITY) < QUIET_MS) return;
    this.told.set(kind, now);
    this.tell(kind);
  }
}

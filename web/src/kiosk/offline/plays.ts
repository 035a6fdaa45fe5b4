/** Proof of play: what stood on the screen, from when to when. Nothing of who looked at it. */
import type { DisplayState, Slide } from "../../api/types.ts";
import { uuid7 } from "../../lib/uuid.ts";
import { filmOf } from "../parts.ts";
import type { Store } from "./store.ts";

/** As the api takes it. */
export interface Play {
  readonly play_id: string;
  readonly mode: string;
  readonly decision_id?: string;
  readonly creative_id?: string;
  readonly film_id?: string;
  readonly product_ids: readonly string[];
  readonly started_at: string;
  readonly ended_at: string;
  readonly online: boolean;
}

/** What is on the screen now. Another `key` is another play. */
export interface Showing {
  readonly key: string;
  readonly mode: string;
  readonly decision_id?: string | undefined;
  readonly creative_id?: string | undefined;
  readonly film_id?: string | undefined;
  readonly product_ids: readonly string[];
  readonly online: boolean;
}

const PLAYED: readonly string[] = ["attract", "welcome", "inspire", "calm", "help"];

/** What of a display is a play; undefined for screens that show no content of the shop. */
export function showing(
  state: DisplayState,
  slide: Slide | undefined,
  turn: number,
  items: number,
  online: boolean,
): Showing | undefined {
  if (!PLAYED.includes(state.mode) || state.poster_follows) return undefined;
  const attract = state.mode === "attract";
  const shown = attract ? slide?.poster : state.poster;
  const film = filmOf(shown)?.film_id;
  const products = attract ? [slide?.item?.product_id] : state.items.slice(0, items).map((item) => item.product_id);
  return {
    key: [state.mode, state.decision_id, attract ? turn : "", film ?? ""].join(" "),
    mode: state.mode,
    decision_id: state.decision_id ?? undefined,
    creative_id: shown?.creative_id,
    film_id: film,
    product_ids: products.filter((id): id is string => Boolean(id)),
    online,
  };
}

interface Running {
  readonly key: string;
  readonly play: Play;
  readonly from: number;
  readonly n: Promise<number>;
}

/**
 * Writes each play when it begins and again when it ends, so that a power cut costs no more than the end of one.
 * How long it took is measured by a clock that nobody can set.
 */
export class Recorder {
  private running: Running | undefined;

  constructor(
    private readonly store: Store,
    private readonly onPlayed: () => void,
  ) {}

  /** The number of the play that is still running, which is not to be sent yet. */
  get open(): Promise<number | undefined> {
    return this.running?.n.catch(() => undefined) ?? Promise.resolve(undefined);
  }

  /** Tell what is on the screen now. */
  see(now: Showing | undefined): void {
    if (now?.key === this.running?.key) return;
    this.end();
    if (!now) return;
    const { key, ...what } = now;
    const at = new Date().toISOString();
    const play = JSON.parse(JSON.stringify({ play_id: uuid7(), ...what, started_at: at, ended_at: at })) as Play;
    this.running = { key, play, from: performance.now(), n: this.store.put("plays", play) };
    this.running.n.catch(() => undefined);
  }

  private end(): void {
    const { running } = this;
    this.running = undefined;
    if (!running) return;
    const ended = Date.parse(running.play.started_at) + Math.round(performance.now() - running.from);
    const play = { ...running.play, ended_at: new Date(ended).toISOString() };
    void running.n
      .then((n) => this.store.put("plays", play, n))
      .then(() => this.store.trim("plays"))
      .then(this.onPlayed)
      .catch(() => undefined);
  }
}

/** Tells the event log what happened after a decision: in batches, each event once, kept while offline. */
import { uuid7 } from "../lib/uuid.ts";
import { ApiError, jsonBody } from "./http.ts";
import type { Session } from "./session.ts";
import type { OutcomeEvent, OutcomeType } from "./types.ts";

/** What an outcome is about. */
export interface Outcome {
  readonly type: OutcomeType;
  readonly decisionId?: string | null | undefined;
  readonly productId?: string | undefined;
}

const BATCH = 100;
const DELAY_MS = 400;

/** Collects outcomes of one session. */
export class OutcomeLog {
  private queue: OutcomeEvent[] = [];
  private readonly seen = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly session: Session) {}

  /** Note an outcome; `viewed` counts once per decision and product. */
  add({ type, decisionId, productId }: Outcome): void {
    const once = `${decisionId}:${productId}`;
    if (type === "viewed" && this.seen.has(once)) return;
    if (type === "viewed") this.seen.add(once);
    this.queue.push({
      event_id: uuid7(),
      type,
      at: new Date().toISOString(),
      channel: "widget",
      ...(decisionId ? { decision_id: decisionId } : {}),
      ...(productId ? { product_id: productId } : {}),
    });
    this.timer ??= setTimeout(() => void this.flush(), DELAY_MS);
  }

  /** Send what waits; a batch that did not arrive waits for the next call. Says whether all arrived. */
  async flush(): Promise<boolean> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const batch = this.queue.splice(0, BATCH);
    if (batch.length === 0) return true;
    try {
      await this.session.call("/v1/events", { ...jsonBody("POST", { events: batch }), keepalive: true });
    } catch (error) {
      if (!(error instanceof ApiError) || error.passing) this.queue.unshift(...batch);
      return false;
    }
    return this.queue.length > 0 ? this.flush() : true;
  }
}

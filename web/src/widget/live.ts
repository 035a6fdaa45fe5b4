/** The conversation's live line: what the shop says by itself. Where there is none, the history is read now and then. */
import type { Session } from "../api/session.ts";
import { backOff, readEvents } from "../lib/sse.ts";

/** What comes over the line. */
export interface LiveHandlers {
  readonly onEvent: (name: string, data: unknown) => void;
  /** Something may have been missed: read the history. */
  readonly onGap: () => void;
}

const POLL_MS = 5000;
const NO_STREAM = [404, 405, 406, 501];

/** One line, reopened by itself until it is closed. */
export class Live {
  private readonly stop = new AbortController();
  private attempts = 0;
  /** Whether the line told who answers, and would tell of a change. */
  connected = false;

  constructor(
    private readonly session: Session,
    private readonly conversationId: string,
    /** The newest message of the shop's that is known. */
    private readonly after: () => string | undefined,
    private readonly handlers: LiveHandlers,
  ) {
    void this.run();
  }

  /** End it. */
  close(): void {
    this.stop.abort();
  }

  private async run(): Promise<void> {
    let first = true;
    while (!this.stop.signal.aborted) {
      if (!first) this.handlers.onGap();
      first = false;
      const wait = await this.once().catch(() => undefined);
      this.connected = false;
      if (this.stop.signal.aborted) return;
      await new Promise((resolve) => setTimeout(resolve, wait ?? backOff(this.attempts++)));
    }
  }

  /** Follow one connection to its end; says how long to wait, where that is known. */
  private async once(): Promise<number | undefined> {
    const { token } = await this.session.token();
    const headers = { accept: "text/event-stream", authorization: `Bearer ${token}` };
    const path = `/v1/conversations/${encodeURIComponent(this.conversationId)}/stream`;
    const after = this.after();
    const url = `${this.session.api}${path}${after ? `?after=${encodeURIComponent(after)}` : ""}`;
    let wait: number | undefined;
    await readEvents(
      (signal) => fetch(url, { headers, signal, cache: "no-store" }),
      this.stop.signal,
      ({ name, data }) => this.take(name, data),
      (status) => {
        if (status === 401) void this.session.fresh().catch(() => undefined);
        if (NO_STREAM.includes(status)) wait = POLL_MS;
      },
    );
    return wait;
  }

  private take(name: string, data: string): void {
    this.attempts = 0;
    if (name === "state") this.connected = true;
    try {
      this.handlers.onEvent(name, JSON.parse(data));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
}

/**
 * The display's stream: the device key stays in a header, and a connection that has gone silent is noticed
 * (EventSource hides the heartbeat comments).
 */
import { backOff, readEvents } from "../lib/sse.ts";

/** The api is heard every two seconds: a screen that is somebody's own must not outlast them because a network has gone silent. */
export const SILENCE_MS = 6_000;

export interface StreamHandlers<T> {
  readonly onEvent: (data: T) => void;
  readonly onState: (connected: boolean) => void;
  readonly onRefused: (status: number) => void;
  /** What has to happen before each connection; while it fails there is none. */
  readonly before?: () => Promise<void>;
}

/** A stream that reconnects by itself until it is closed. */
export class EventStream<T> {
  private readonly stop = new AbortController();
  private attempts = 0;

  constructor(
    private readonly url: string,
    private readonly key: string,
    private readonly name: string,
    private readonly handlers: StreamHandlers<T>,
  ) {
    void this.run();
  }

  /** End it. */
  close(): void {
    this.stop.abort();
  }

  private async run(): Promise<void> {
    while (!this.stop.signal.aborted) {
      await this.connectOnce().catch(() => undefined);
      if (this.stop.signal.aborted) return;
      this.handlers.onState(false);
      await new Promise((resolve) => setTimeout(resolve, backOff(this.attempts++)));
    }
  }

  private async connectOnce(): Promise<void> {
    await this.handlers.before?.();
    const headers = { accept: "text/event-stream", authorization: `Bearer ${this.key}` };
    await readEvents(
      (signal) => fetch(this.url, { headers, signal, cache: "no-store" }),
      this.stop.signal,
      (event) => event.name === this.name && this.emit(event.data),
      (status) => [401, 403, 404].includes(status) && this.handlers.onRefused(status),
      SILENCE_MS,
    );
  }

  private emit(data: string): void {
    this.attempts = 0;
    this.handlers.onState(true);
    this.handlers.onEvent(JSON.parse(data) as T);
  }
}

/**
 * Server-sent events over fetch: the device key stays in a header, and a connection that has gone silent is
 * noticed (EventSource hides the heartbeat comments).
 */
export interface StreamHandlers<T> {
  readonly onEvent: (data: T) => void;
  readonly onState: (connected: boolean) => void;
  readonly onRefused: (status: number) => void;
}

const SILENCE_MS = 40_000;
const BACK_OFF_MS = [500, 1000, 2000, 4000, 8000, 15_000];

/** Cut complete events off a text; returns their data and what is left. */
export function takeEvents(buffer: string, name: string): { data: string[]; rest: string } {
  const blocks = buffer.replaceAll("\r\n", "\n").split("\n\n");
  const rest = blocks.pop() ?? "";
  const data = blocks.flatMap((block) => {
    const fields = block.split("\n").map((line) => /^([a-z]+):\s?(.*)$/.exec(line));
    const event = fields.find((field) => field?.[1] === "event")?.[2] ?? "message";
    const text = fields.filter((field) => field?.[1] === "data").map((field) => field?.[2] ?? "");
    return event === name && text.length > 0 ? [text.join("\n")] : [];
  });
  return { data, rest };
}

/** Wait before attempt `count`, with up to 30 % of chance so that kiosks do not return all at once. */
export function backOff(count: number, chance = Math.random()): number {
  const base = BACK_OFF_MS[Math.min(count, BACK_OFF_MS.length - 1)] ?? 15_000;
  return base * (1 + 0.3 * chance);
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
    const line = new AbortController();
    const signal = AbortSignal.any([line.signal, this.stop.signal]);
    let watchdog = setTimeout(() => line.abort(), SILENCE_MS);
    try {
      const headers = { accept: "text/event-stream", authorization: `Bearer ${this.key}` };
      const response = await fetch(this.url, { headers, signal, cache: "no-store" });
      if (!response.ok || !response.body) {
        if ([401, 403, 404].includes(response.status)) this.handlers.onRefused(response.status);
        return;
      }
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let buffer = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        clearTimeout(watchdog);
        watchdog = setTimeout(() => line.abort(), SILENCE_MS);
        const taken = takeEvents(buffer + value, this.name);
        buffer = taken.rest;
        for (const data of taken.data) this.emit(data);
      }
    } finally {
      clearTimeout(watchdog);
      line.abort();
    }
  }

  private emit(data: string): void {
    this.attempts = 0;
    this.handlers.onState(true);
    this.handlers.onEvent(JSON.parse(data) as T);
  }
}

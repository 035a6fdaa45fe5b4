/** Server-sent events over fetch, so that a key or token stays in a header and silence is noticed. */

/** One event of a stream. */
export interface StreamEvent {
  readonly name: string;
  readonly data: string;
}

const SILENCE_MS = 40_000;
const BACK_OFF_MS = [500, 1000, 2000, 4000, 8000, 15_000];

/** Cut complete events off a text; returns them and what is left. */
export function cutEvents(buffer: string): { events: StreamEvent[]; rest: string } {
  const blocks = buffer.replaceAll("\r\n", "\n").split("\n\n");
  const rest = blocks.pop() ?? "";
  const events = blocks.flatMap((block) => {
    const fields = block.split("\n").map((line) => /^([a-z]+):\s?(.*)$/.exec(line));
    const name = fields.find((field) => field?.[1] === "event")?.[2] ?? "message";
    const text = fields.filter((field) => field?.[1] === "data").map((field) => field?.[2] ?? "");
    return text.length > 0 ? [{ name, data: text.join("\n") }] : [];
  });
  return { events, rest };
}

/** Wait before attempt `count`, with up to 30 % of chance so that not all return at once. */
export function backOff(count: number, chance = Math.random()): number {
  const base = BACK_OFF_MS[Math.min(count, BACK_OFF_MS.length - 1)] ?? 15_000;
  return base * (1 + 0.3 * chance);
}

/** Read one connection to its end; it is given up after `silenceMs` without a byte. */
export async function readEvents(
  open: (signal: AbortSignal) => Promise<Response>,
  stop: AbortSignal,
  onEvent: (event: StreamEvent) => void,
  onRefused: (status: number) => void,
  silenceMs = SILENCE_MS,
): Promise<void> {
  const line = new AbortController();
  const end = (): void => line.abort();
  stop.addEventListener("abort", end);
  let watchdog = setTimeout(end, silenceMs);
  try {
    const response = await open(line.signal);
    if (!response.ok || !response.body) return onRefused(response.status);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let buffer = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(watchdog);
      watchdog = setTimeout(end, silenceMs);
      const { events, rest } = cutEvents(buffer + value);
      buffer = rest;
      for (const event of events) onEvent(event);
    }
  } finally {
    clearTimeout(watchdog);
    stop.removeEventListener("abort", end);
    line.abort();
  }
}

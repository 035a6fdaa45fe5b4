/** Server-sent events for a page: connects while it is shown, and again with growing waits after a break. */
import { useEffect, useRef, useState } from "react";
import { backOff, readEvents, type StreamEvent } from "../../lib/sse.ts";

/** Follow `url`; returns whether it is connected. `null` follows nothing. */
export function useStream(url: string | null, onEvent: (event: StreamEvent) => void): boolean {
  const [connected, setConnected] = useState(false);
  const hear = useRef(onEvent);
  hear.current = onEvent;
  useEffect(() => {
    if (url === null) return undefined;
    const stop = new AbortController();
    const open = async (signal: AbortSignal): Promise<Response> => {
      const response = await fetch(url, { signal, headers: { accept: "text/event-stream" } });
      setConnected(response.ok);
      return response;
    };
    void (async () => {
      for (let count = 0; !stop.signal.aborted; count += 1) {
        let refused = false;
        await readEvents(
          open,
          stop.signal,
          (event) => {
            count = 0;
            hear.current(event);
          },
          (status) => {
            refused = status === 401 || status === 403;
          },
        ).catch(() => undefined);
        setConnected(false);
        if (refused) return;
        await new Promise((go) => setTimeout(go, backOff(count)));
      }
    })();
    return () => stop.abort();
  }, [url]);
  return connected;
}

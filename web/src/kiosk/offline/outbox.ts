/** Sends what waits: wishes first, one by one, then plays in batches. What was not acknowledged is sent again, under the same id. */
import { ApiError, fetchJson, jsonBody } from "../../api/http.ts";
import type { Device } from "../api.ts";
import type { Play } from "./plays.ts";
import type { Store } from "./store.ts";

/** What somebody asked for at the screen. The ticket tells the api, and nobody else, who was greeted. */
export interface Wish {
  readonly what: "forget-me" | "not-me";
  readonly ticket: string;
}

const BATCH = 100;
const LIMIT_MS = 10_000;

/** Whether the api does not take this kiosk's key. */
const refuses = (error: unknown): boolean => error instanceof ApiError && [401, 403].includes(error.status);

/** Whether trying again later can help. */
const mayPass = (error: unknown): boolean => !(error instanceof ApiError) || error.passing || refuses(error);

/** One kiosk's outbox. */
export class Outbox {
  private sending: Promise<void> | undefined;
  private readonly base: string;
  private readonly headers: Record<string, string>;

  constructor(
    { kiosk, key }: Device,
    private readonly store: Store,
    private readonly open: () => Promise<number | undefined>,
  ) {
    this.base = `/v1/kiosks/${encodeURIComponent(kiosk)}/`;
    this.headers = { authorization: `Bearer ${key}` };
  }

  /** Tell the api a wish; where it cannot be told now it is kept, and told first when the api is back. */
  async wish(wish: Wish): Promise<"heard" | "kept" | "lost"> {
    const kept = await this.store.put("wishes", wish).then(
      () => true,
      () => false,
    );
    try {
      await (kept ? this.sendWishes() : this.post(wish.what, { ticket: wish.ticket }));
      return "heard";
    } catch {
      return kept ? "kept" : "lost";
    }
  }

  /** Send the wishes; throws while one of them cannot be sent. What the api does not know any more is let go. */
  async sendWishes(): Promise<void> {
    for (const { n, value } of await this.store.first<Wish>("wishes", BATCH)) {
      try {
        await this.post(value.what, { ticket: value.ticket });
      } catch (error) {
        if (mayPass(error)) throw error;
      }
      await this.store.remove("wishes", [n]);
    }
  }

  /** Send the wishes before the display is asked for. Where the key is refused, the display's refusal has to be heard, too. */
  async wishesFirst(): Promise<void> {
    await this.sendWishes().catch((error: unknown) => {
      if (!refuses(error)) throw error;
    });
  }

  /** Send everything that waits; never two at once, and quietly: what fails stays for the next time. */
  send(): Promise<void> {
    this.sending ??= this.sendAll()
      .catch(() => undefined)
      .finally(() => {
        this.sending = undefined;
      });
    return this.sending;
  }

  private async sendAll(): Promise<void> {
    await this.sendWishes();
    for (;;) {
      const open = await this.open();
      const batch = (await this.store.first<Play>("plays", BATCH)).filter(({ n }) => n !== open);
      if (batch.length === 0) return;
      const body = { sent_at: new Date().toISOString(), plays: batch.map(({ value }) => value) };
      await this.post("plays", body);
      await this.store.remove(
        "plays",
        batch.map(({ n }) => n),
      );
    }
  }

  private async post(what: string, body: unknown): Promise<void> {
    const init = jsonBody("POST", body);
    await fetchJson(this.base + what, { ...init, headers: { ...init.headers, ...this.headers } }, LIMIT_MS);
  }
}

/**
 * What the kiosk plays while the api is away: the latest posters for nobody in particular, with their pictures, for a day.
 * Nothing personal ever gets in: fields are named one by one.
 */
import type { DisplayState, ItemCard, Poster, Slide } from "../../api/types.ts";

export const PLAYLIST = "aisle-kiosk-playlist";
export const PLAYED_FOR_MS = 24 * 3_600_000;
/** A clock that was set back by more than this says nothing about the age of a copy. */
const CLOCK_SLACK_MS = 600_000;
const RECORD = "/kiosk/_/playlist";

/** A copy of the posters. `at`: when the api last stood by them, by this kiosk's clock. */
export interface Copy {
  readonly state: DisplayState;
  readonly at: number;
}

const plainItem = (item: ItemCard): ItemCard => ({
  product_id: item.product_id,
  name: item.name,
  price: item.price,
  regular_price: item.regular_price ?? null,
  picture_url: item.picture_url,
  reason: "",
});

/** A poster without its film, which is too large to keep. */
const plainPoster = (one: Poster | null | undefined): Poster | null => {
  if (!one) return null;
  const { film: _, ...rest } = one;
  return rest;
};

/** The part of a display that is for everybody; undefined when it is not a display for nobody in particular. */
export function publicPart(state: DisplayState): DisplayState | undefined {
  if (state.mode !== "attract" || state.privacy.recognised || state.coupon) return undefined;
  const slides = (state.slides ?? []).map(
    ({ headline, poster, item }): Slide => ({
      headline,
      poster: plainPoster(poster),
      item: item ? plainItem(item) : null,
    }),
  );
  return {
    kiosk_id: state.kiosk_id,
    revision: state.revision,
    epoch: state.epoch ?? 0,
    mode: "attract",
    privacy: { camera: false, recognised: false, text: "" },
    headline: state.headline,
    subline: state.subline ?? "",
    ...(state.words ? { words: { name: null, contact: state.words.contact, shared: false } } : {}),
    retailer: state.retailer,
    decision_id: state.decision_id ?? null,
    items: state.items.slice(0, 1).map(plainItem),
    poster: plainPoster(state.poster),
    slides,
  };
}

/** The addresses of every picture on the posters. */
export function picturesOf(state: DisplayState): readonly string[] {
  const slides = state.slides ?? [];
  const pictures = [
    state.poster?.url,
    ...state.items.map((item) => item.picture_url),
    ...slides.flatMap(({ poster, item }) => [poster?.url, item?.picture_url]),
  ];
  return [...new Set(pictures.filter((url): url is string => Boolean(url)))];
}

/** Whether a copy may still be played. */
export function isFresh({ at }: Copy, now: number): boolean {
  return now - at < PLAYED_FOR_MS && now - at > -CLOCK_SLACK_MS;
}

/** The one copy that this kiosk keeps. Changes run one after the other; emptying overtakes them. */
export class Playlist {
  copy: Copy | undefined;
  private round = 0;
  private work: Promise<void> = Promise.resolve();

  /** Read what an earlier page has kept. */
  async open(): Promise<void> {
    if (typeof caches === "undefined") return;
    try {
      const found = await (await caches.open(PLAYLIST)).match(RECORD);
      const copy = found ? ((await found.json()) as Copy) : undefined;
      this.copy ??= copy;
    } catch {
      // without a cache the kiosk still works online
    }
  }

  /** The api has just shown this: keep it if it is for everybody, and note that it still stands. */
  confirm(state: DisplayState, now = Date.now()): void {
    const epoch = state.epoch ?? 0;
    if (this.copy && (this.copy.state.epoch ?? 0) !== epoch) this.empty();
    const shown = publicPart(state);
    const kept = shown ?? this.copy?.state;
    if (!kept) return;
    const changed = shown !== undefined && shown.decision_id !== this.copy?.state.decision_id;
    this.copy = { state: kept, at: now };
    this.queue((round) => this.write(round, changed));
  }

  /** Delete the copy, now. */
  empty(): Promise<void> {
    this.round++;
    this.copy = undefined;
    this.queue(async () => {
      await caches.delete(PLAYLIST);
    });
    return this.work;
  }

  /** What may be played now, if anything. */
  playable(now = Date.now()): DisplayState | undefined {
    return this.copy && isFresh(this.copy, now) ? this.copy.state : undefined;
  }

  private queue(step: (round: number) => Promise<void>): void {
    if (typeof caches === "undefined") return;
    const { round } = this;
    this.work = this.work.then(() => step(round)).catch(() => undefined);
  }

  private async write(round: number, changed: boolean): Promise<void> {
    const { copy } = this;
    if (!copy || round !== this.round) return;
    const cache = await caches.open(PLAYLIST);
    const pictures = picturesOf(copy.state).map((url) => new URL(url, location.origin).href);
    if (changed) await Promise.all(pictures.map((url) => this.fetchOnce(cache, url)));
    if (round !== this.round) return;
    await cache.put(RECORD, new Response(JSON.stringify(copy), { headers: { "content-type": "application/json" } }));
    if (!changed) return;
    const wanted = new Set([...pictures, new URL(RECORD, location.origin).href]);
    for (const { url } of await cache.keys()) if (!wanted.has(url)) await cache.delete(url);
  }

  private async fetchOnce(cache: Cache, url: string): Promise<void> {
    if (await cache.match(url)) return;
    const response = await fetch(url);
    if (response.ok) await cache.put(url, response);
  }
}

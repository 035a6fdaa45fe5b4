/** Keeps a valid widget token: from the page, from a token address, or renewed. */
import { ApiError, fetchJson, fetchOk } from "./http.ts";
import type { WidgetToken } from "./types.ts";

/** Where a session's token comes from. */
export interface TokenSource {
  /** Origin of the api, without a slash at the end. */
  readonly api: string;
  /** Address that answers GET with a widget token. */
  readonly tokenUrl?: string | undefined;
  /** A token that the page already has. */
  readonly token?: string | undefined;
  /** Whether the shopper agreed to be remembered for longer than a day. */
  readonly consent?: boolean | undefined;
}

/** What survives a reload. */
export interface Remembered {
  visitor_id?: string;
  conversation_id?: string;
  draft?: string;
  /** Interface language that the shopper chose. */
  language?: string;
  /** When all of this is forgotten. */
  until?: number;
}

const DAY_MS = 24 * 3_600_000;
const RENEW_BEFORE_MS = 60_000;

const read = <T>(store: Storage | undefined, key: string): T | undefined => {
  try {
    return JSON.parse(store?.getItem(key) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
};

const write = (store: Storage | undefined, key: string, value: unknown): void => {
  try {
    store?.setItem(key, JSON.stringify(value));
  } catch {
    // Storage can be full or forbidden; the session then lasts for this page only.
  }
};

const erase = (store: Storage | undefined, key: string): void => {
  try {
    store?.removeItem(key);
  } catch {
    // What cannot be written cannot be erased either, and was never kept.
  }
};

function withToken(init: RequestInit, token: string): RequestInit {
  const headers = new Headers(init.headers);
  headers.set("authorization", `Bearer ${token}`);
  return { ...init, headers };
}

/** One shopper's session with the api. */
export class Session {
  /** What the chat's surface is in, which a new conversation begins in where the assistant serves it. */
  language: string | undefined;
  private current: WidgetToken | undefined;
  private pending: Promise<WidgetToken> | undefined;
  /** What all of this session's storage is called. */
  readonly key: string;

  constructor(
    private readonly source: TokenSource,
    private readonly stores: { local?: Storage; tab?: Storage } = { local: localStorage, tab: sessionStorage },
  ) {
    this.key = `aisle:${source.api}:${source.tokenUrl ?? "page"}`;
    this.current = source.token
      ? { token: source.token, visitor_id: "" }
      : read<WidgetToken>(stores.tab, `${this.key}:token`);
  }

  /** Origin of the api. */
  get api(): string {
    return this.source.api;
  }

  /** The token's facts, once there is one. */
  get facts(): WidgetToken | undefined {
    return this.current;
  }

  /** What was kept for this session: for a day, or for thirty with consent. */
  get kept(): Remembered {
    const kept = read<Remembered>(this.stores.local, this.key) ?? {};
    if ((kept.until ?? Number.POSITIVE_INFINITY) >= Date.now()) return kept;
    this.forget();
    return {};
  }

  /** Messages that wait to be sent, kept beside it for the same time. */
  get waiting(): unknown[] {
    return this.kept && (read<unknown[]>(this.stores.local, this.outboxKey) ?? []);
  }

  set waiting(entries: unknown[]) {
    if (entries.length > 0) write(this.stores.local, this.outboxKey, entries);
    else erase(this.stores.local, this.outboxKey);
  }

  private get outboxKey(): string {
    return `${this.key}:outbox`;
  }

  /** Forget everything that this browser kept of the session. */
  forget(): void {
    erase(this.stores.local, this.key);
    erase(this.stores.local, this.outboxKey);
    erase(this.stores.tab, `${this.key}:token`);
    if (!this.source.token) this.current = undefined;
  }

  /** Keep something for after a reload; undefined forgets it. */
  keep(change: { [K in keyof Remembered]?: Remembered[K] | undefined }): void {
    const until = Date.now() + (this.source.consent ? 30 * DAY_MS : DAY_MS);
    write(this.stores.local, this.key, { ...this.kept, ...change, until });
  }

  /** Call the api as this shopper; a refused token is renewed once. */
  call<T>(path: string, init: RequestInit = {}, limitMs?: number): Promise<T> {
    return this.asMe(({ token }) => fetchJson<T>(`${this.api}${path}`, withToken(init, token), limitMs));
  }

  /** As `call`, for an answer that is not JSON. */
  raw(path: string, init: RequestInit = {}): Promise<Response> {
    return this.asMe(({ token }) => fetchOk(`${this.api}${path}`, withToken(init, token)));
  }

  private async asMe<T>(work: (token: WidgetToken) => Promise<T>): Promise<T> {
    const token = await this.token();
    try {
      return await work(token);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      return work(await this.fresh());
    }
  }

  /** A token that is good for at least a minute. */
  async token(): Promise<WidgetToken> {
    const { current } = this;
    if (!current) return this.once(() => this.fetchToken());
    const expires = current.expires_at ? Date.parse(current.expires_at) : Number.POSITIVE_INFINITY;
    return expires - Date.now() > RENEW_BEFORE_MS ? current : this.fresh();
  }

  /** A new token: renewed where that still works, else asked for again. */
  fresh(): Promise<WidgetToken> {
    return this.once(async () => {
      try {
        return await this.renew();
      } catch (error) {
        if (!(error instanceof ApiError) || !this.source.tokenUrl) throw error;
        return this.fetchToken();
      }
    });
  }

  private once(work: () => Promise<WidgetToken>): Promise<WidgetToken> {
    this.pending ??= work()
      .then((token) => this.adopt(token))
      .finally(() => {
        this.pending = undefined;
      });
    return this.pending;
  }

  private adopt(token: WidgetToken): WidgetToken {
    this.current = { ...this.current, ...token };
    if (this.kept.visitor_id !== token.visitor_id) this.keep({ visitor_id: token.visitor_id });
    if (this.source.tokenUrl) write(this.stores.tab, `${this.key}:token`, this.current);
    return this.current;
  }

  private renew(): Promise<WidgetToken> {
    const init = { method: "POST", headers: { authorization: `Bearer ${this.current?.token ?? ""}` } };
    return fetchJson<WidgetToken>(`${this.api}/v1/widget-tokens/renew`, init);
  }

  private fetchToken(): Promise<WidgetToken> {
    if (!this.source.tokenUrl) throw new Error("aisle-chat needs data-token or data-token-url.");
    const url = new URL(this.source.tokenUrl, document.baseURI);
    const visitor = this.kept.visitor_id;
    if (visitor && !url.searchParams.has("visitor")) url.searchParams.set("visitor", visitor);
    return fetchJson<WidgetToken>(url.href);
  }
}

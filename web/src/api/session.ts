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
  /** Whom the shop had signed in; nobody where it is empty. */
  member_id?: string;
  conversation_id?: string;
  /** Interface language that the shopper chose. */
  language?: string;
  /** When all of this is forgotten. */
  until?: number;
}

const DAY_MS = 24 * 3_600_000;
const RENEW_BEFORE_MS = 60_000;

/** The browser's storage; what it has no room for, or forbids, is kept for this page only: a message is not lost over it. */
class Kept {
  private readonly here = new Map<string, unknown>();

  constructor(private readonly store: () => Storage | undefined) {}

  read<T>(key: string): T | undefined {
    if (this.here.has(key)) return this.here.get(key) as T;
    try {
      return JSON.parse(this.store()?.getItem(key) ?? "null") ?? undefined;
    } catch {
      return undefined;
    }
  }

  write(key: string, value: unknown): void {
    this.here.delete(key);
    try {
      const store = this.store();
      if (store) store.setItem(key, JSON.stringify(value));
      else this.here.set(key, value);
    } catch {
      this.here.set(key, value);
    }
  }

  erase(key: string): void {
    this.here.delete(key);
    try {
      this.store()?.removeItem(key);
    } catch {
      // What cannot be written was never there.
    }
  }
}

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
  private readonly store: Kept;
  /** What all of this session's storage is called. */
  readonly key: string;

  constructor(
    private readonly source: TokenSource,
    store: () => Storage | undefined = () => localStorage,
  ) {
    this.key = `aisle:${source.api}:${source.tokenUrl ?? "page"}`;
    this.store = new Kept(store);
    this.current = source.token ? { token: source.token, visitor_id: "" } : undefined;
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
    const kept = this.store.read<Remembered>(this.key) ?? {};
    if ((kept.until ?? Number.POSITIVE_INFINITY) >= Date.now()) return kept;
    this.forget();
    return {};
  }

  /** Messages that wait to be sent, kept beside it for the same time. */
  get waiting(): unknown[] {
    return this.kept && (this.store.read<unknown[]>(this.outboxKey) ?? []);
  }

  set waiting(entries: unknown[]) {
    if (entries.length > 0) this.store.write(this.outboxKey, entries);
    else this.store.erase(this.outboxKey);
  }

  private get outboxKey(): string {
    return `${this.key}:outbox`;
  }

  /** Forget everything that this browser kept of the session. */
  forget(): void {
    this.store.erase(this.key);
    this.store.erase(this.outboxKey);
    if (!this.source.token) this.current = undefined;
  }

  /** Somebody else shops here now: what the one before had said, and was about to say, stays theirs. */
  becomeAnother(): void {
    this.keep({ conversation_id: undefined });
    this.waiting = [];
  }

  /** Whether the page gave the token, so that nobody here can tell whose it is. */
  get isGiven(): boolean {
    return this.source.tokenUrl === undefined;
  }

  /** End this browser's session at the shop: its tokens count no longer, wherever they were copied to. Nothing else is forgotten. */
  async signOut(): Promise<void> {
    const token = this.current?.token;
    this.current = undefined;
    if (!token) return;
    const init = withToken({ method: "DELETE", keepalive: true }, token);
    await fetchOk(`${this.api}/v1/me/session`, init).catch(() => undefined); // it runs out by itself
  }

  /** Keep something for after a reload; undefined forgets it. */
  keep(change: { [K in keyof Remembered]?: Remembered[K] | undefined }): void {
    const until = Date.now() + (this.source.consent ? 30 * DAY_MS : DAY_MS);
    this.store.write(this.key, { ...this.kept, ...change, until });
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

  /** A new token: from the shop, which knows who is signed in now; a page's own token is renewed. */
  fresh(): Promise<WidgetToken> {
    return this.once(() => (this.source.tokenUrl ? this.fetchToken() : this.renew()));
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
    const { visitor_id, member_id } = this.kept;
    const member = token.member_id ?? "";
    // A visitor who signs in is the same person. Anybody else must not see, or say, what the one before wrote.
    const same = visitor_id === token.visitor_id && (!member_id || member_id === member);
    if (visitor_id !== undefined && !same) this.becomeAnother();
    if (visitor_id !== token.visitor_id || member_id !== member)
      this.keep({ visitor_id: token.visitor_id, member_id: member });
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

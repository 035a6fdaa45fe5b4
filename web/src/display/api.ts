/** The marketers' side of the api: the display policy. */
import { fetchOk, jsonBody } from "../api/http.ts";

export type Values = Readonly<Record<string, number | Readonly<Record<string, number>>>>;

export interface Limit {
  readonly least: number;
  readonly most: number;
  readonly step: number;
  readonly unit: string;
}

export interface Version {
  readonly version: number;
  readonly values: Values;
  readonly note: string;
  readonly author: string;
  readonly at: string | null;
  readonly restored: number | null;
}

export interface Policy extends Version {
  readonly limits: Readonly<Record<string, Limit>>;
  readonly visits: readonly string[];
}

export interface Screen {
  readonly mode: string;
  readonly why: string;
  readonly since: number;
  readonly until: number;
}

export interface Preview {
  readonly screens: readonly Screen[];
  readonly happened: readonly (readonly [number, string])[];
  readonly valences: readonly (readonly [number, number])[];
  readonly flickers: number;
}

const ROOT = "/v1/display-policy";
const LIMIT_MS = 10_000;

/** The value at "calm.below". */
export function valueAt(values: Values, place: string): number {
  const [group = "", name] = place.split(".");
  const found = values[group];
  return Number(name && typeof found === "object" ? found[name] : found);
}

/** The same values, but for one. */
export function withValue(values: Values, place: string, value: number): Values {
  const [group = "", name] = place.split(".");
  const found = values[group];
  return { ...values, [group]: name && typeof found === "object" ? { ...found, [name]: value } : value };
}

/** Calls with one marketer's key and name. `etag`: of the policy that was read or saved last. */
export class Desk {
  etag = "";

  constructor(
    readonly key: string,
    readonly name: string,
  ) {}

  async read(): Promise<Policy> {
    return this.remember(await this.call(""));
  }

  async save(values: Values, note: string): Promise<Version> {
    return this.remember(await this.call("", { ...jsonBody("PUT", { values, note }) }, true));
  }

  async restore(version: number): Promise<Version> {
    return this.remember(await this.call(`/versions/${version}/restore`, { method: "POST" }, true));
  }

  async versions(): Promise<readonly Version[]> {
    return ((await (await this.call("/versions")).json()) as { versions: readonly Version[] }).versions;
  }

  async preview(values: Values, visit: string, signal: AbortSignal): Promise<Preview> {
    return (await (await this.call("/preview", { ...jsonBody("POST", { values, visit }), signal })).json()) as Preview;
  }

  private async remember<T>(response: Response): Promise<T> {
    this.etag = response.headers.get("etag") ?? "";
    return (await response.json()) as T;
  }

  private call(path: string, init: RequestInit = {}, matching = false): Promise<Response> {
    const match = matching ? { "if-match": this.etag } : {};
    const own = { authorization: `Bearer ${this.key}`, "x-agent-name": this.name, ...match };
    const signal = init.signal ?? AbortSignal.timeout(LIMIT_MS);
    return fetchOk(ROOT + path, { ...init, signal, headers: { ...init.headers, ...own } });
  }
}

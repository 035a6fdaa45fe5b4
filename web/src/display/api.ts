/** The marketers' side of the api: the display policy, by the client that is typed by the OpenAPI document. */
import createClient from "openapi-fetch";
import type { components, paths } from "../api/generated.d.ts";
import { fetchOk } from "../api/http.ts";

type Schemas = components["schemas"];

export type Values = Readonly<Record<string, number | Readonly<Record<string, number>>>>;
export type Limit = Schemas["LimitOut"];
export type Version = Omit<Schemas["PolicyOut"], "values"> & { readonly values: Values };
export type Policy = Version & Pick<Schemas["PolicyNow"], "limits" | "visits">;
export type Screen = Schemas["ScreenOut"];
export type Preview = Schemas["PreviewOut"];

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
  private readonly client;

  constructor(
    readonly key: string,
    readonly name: string,
  ) {
    this.client = createClient<paths>({
      baseUrl: location.origin,
      fetch: fetchOk,
      headers: { authorization: `Bearer ${key}` },
    });
  }

  async read(): Promise<Policy> {
    return this.remember(await this.client.GET("/v1/display-policy", this.limit)) as Policy;
  }

  async save(values: Values, note: string): Promise<Version> {
    const body = { values: { ...values }, note };
    return this.remember(
      await this.client.PUT("/v1/display-policy", { params: this.saving, body, ...this.limit }),
    ) as Version;
  }

  async restore(version: number): Promise<Version> {
    const params = { ...this.saving, path: { version } };
    return this.remember(
      await this.client.POST("/v1/display-policy/versions/{version}/restore", { params, ...this.limit }),
    ) as Version;
  }

  async versions(): Promise<readonly Version[]> {
    const { data } = await this.client.GET("/v1/display-policy/versions", this.limit);
    return (data?.versions ?? []) as readonly Version[];
  }

  async preview(values: Values, visit: string, signal: AbortSignal): Promise<Preview> {
    const { data } = await this.client.POST("/v1/display-policy/preview", {
      body: { values: { ...values }, visit },
      signal,
    });
    return data as Preview;
  }

  private get limit(): { signal: AbortSignal } {
    return { signal: AbortSignal.timeout(LIMIT_MS) };
  }

  private get saving() {
    return { header: { "if-match": this.etag, "X-Agent-Name": this.name } };
  }

  private remember<T>(answer: { data?: T; response: Response }): T {
    this.etag = answer.response.headers.get("etag") ?? "";
    return answer.data as T;
  }
}

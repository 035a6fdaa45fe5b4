/** The side of the api that approves creatives. */
import { fetchOk, jsonBody } from "../api/http.ts";

export interface Campaign {
  readonly campaign_id: string;
  readonly product_id: string;
  readonly approval: string;
  readonly placed: number;
}

export interface Variant {
  readonly variant_id: string;
  readonly family: string;
  readonly state: string;
  readonly shown: number;
  readonly clicked: number;
}

/** A line of the history. Nothing in it is ever changed. */
export interface Step {
  readonly subject: string;
  readonly of_family: boolean;
  readonly state: string;
  readonly by: string;
  readonly at: string;
  readonly note: string;
}

const ROOT = "/v1/creative-campaigns";
const LIMIT_MS = 20_000;

/** Calls with one person's key and name. */
export class Desk {
  constructor(
    readonly key: string,
    readonly name: string,
  ) {}

  async campaigns(): Promise<readonly Campaign[]> {
    return (await this.read<{ campaigns: readonly Campaign[] }>("")).campaigns;
  }

  async variants(campaign: string): Promise<readonly Variant[]> {
    return (await this.read<{ variants: readonly Variant[] }>(`/${campaign}/variants`)).variants;
  }

  async history(campaign: string): Promise<readonly Step[]> {
    return (await this.read<{ steps: readonly Step[] }>(`/${campaign}/approvals`)).steps;
  }

  /** How a variant looks, as an address for this page alone. */
  async preview(campaign: string, variant: string): Promise<string> {
    const answer = await this.call(`/${campaign}/variants/${encodeURIComponent(variant)}/preview`);
    return URL.createObjectURL(await answer.blob());
  }

  async draw(campaign: string, count: number, seed: number): Promise<void> {
    await this.call(`/${campaign}/designs`, jsonBody("POST", { count, seed, by: this.name }));
  }

  async decide(campaign: string, subject: string, state: "approved" | "rejected" | "retired"): Promise<void> {
    await this.call(`/${campaign}/approvals`, jsonBody("POST", { subject, state, by: this.name }));
  }

  private async read<T>(path: string): Promise<T> {
    return (await (await this.call(path)).json()) as T;
  }

  private call(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { ...init.headers, authorization: `Bearer ${this.key}` };
    return fetchOk(ROOT + path, { ...init, headers, signal: AbortSignal.timeout(LIMIT_MS) });
  }
}

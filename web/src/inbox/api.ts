/** The agents' side of the api. */
import { fetchJson, fetchOk, jsonBody } from "../api/http.ts";
import type { Attachment } from "../api/types.ts";

export interface Card {
  readonly handoff_id: string;
  readonly conversation_id: string;
  readonly state: "queued" | "human" | "returned" | "ended";
  readonly reason: string;
  readonly urgency: number;
  readonly queued_at: string;
  readonly agent: string | null;
  readonly mine: boolean;
  readonly summary: readonly string[];
  readonly left: readonly string[];
}

export interface Inbox {
  readonly waiting: readonly Card[];
  readonly served: readonly Card[];
  readonly agents: readonly string[];
}

export interface Line {
  readonly message_id: string;
  readonly role: "user" | "bot" | "agent";
  readonly text: string;
  readonly agent?: string;
  readonly attachments?: readonly Attachment[];
}

export interface Detail {
  readonly handoff: Card;
  readonly display_name: string | null;
  readonly affect: { readonly state: string } | null;
  readonly read_by_user: string | null;
  readonly messages: readonly Line[];
}

export type Step = "claim" | "release" | "hand-back";

/** Calls with one agent's key and name. */
export class Desk {
  constructor(
    readonly key: string,
    readonly name: string,
  ) {}

  inbox(): Promise<Inbox> {
    return this.call<Inbox>("inbox");
  }

  open(handoff: string): Promise<Detail> {
    return this.call<Detail>(`handoffs/${handoff}`);
  }

  move(handoff: string, step: Step): Promise<Card> {
    return this.call<Card>(`handoffs/${handoff}/${step}`, { method: "POST" });
  }

  say(handoff: string, text: string, clientId: string): Promise<unknown> {
    return this.call(`handoffs/${handoff}/messages`, jsonBody("POST", { text, client_message_id: clientId }));
  }

  read(handoff: string, message: string): Promise<unknown> {
    return this.call(`handoffs/${handoff}/read`, jsonBody("POST", { message_id: message }));
  }

  typing(handoff: string, on: boolean): Promise<unknown> {
    return this.call(`handoffs/${handoff}/typing`, jsonBody("POST", { on }));
  }

  /** The bytes of a file that the shopper sent. */
  async file({ url }: Attachment): Promise<Blob> {
    return (await fetchOk(url, { headers: { authorization: `Bearer ${this.key}` } })).blob();
  }

  private call<T>(path: string, init: RequestInit = {}): Promise<T> {
    const headers = { ...init.headers, authorization: `Bearer ${this.key}`, "x-agent-name": this.name };
    return fetchJson<T>(`/v1/agents/${path}`, { ...init, headers });
  }
}

/** What a shopper can ask of the api, by widget token. */
import { ApiError, jsonBody } from "./http.ts";
import type { Session } from "./session.ts";
import type { ChatReply, Conversation, DecisionView, LinkCode } from "./types.ts";

/** Continue the conversation of this session, or start one. */
export async function openConversation(session: Session): Promise<Conversation> {
  const known = session.kept.conversation_id;
  if (known) {
    const kept = await readConversation(session, known).catch((error: unknown) => {
      if (error instanceof ApiError && [401, 403, 404, 410].includes(error.status)) return undefined;
      throw error;
    });
    if (kept) return kept;
  }
  const started = await session.call<Conversation>("/v1/conversations", jsonBody("POST", {}));
  session.keep({ conversation_id: started.conversation_id });
  return started;
}

/** Read a conversation's history. */
export function readConversation(session: Session, id: string): Promise<Conversation> {
  return session.call<Conversation>(`/v1/conversations/${encodeURIComponent(id)}`);
}

/** What a shopper said; `title` is what a quick reply showed, when its text is a command. */
export interface Said {
  readonly text: string;
  readonly title?: string;
}

/** Say something. */
export function sendMessage(session: Session, conversationId: string, said: Said): Promise<ChatReply> {
  return session.call(`/v1/conversations/${encodeURIComponent(conversationId)}/messages`, jsonBody("POST", said));
}

/** Ask the brain for items, outside a conversation. */
export function recommend(session: Session, slateSize: number): Promise<DecisionView> {
  return session.call("/v1/recommendations", jsonBody("POST", { channel: "widget", slate_size: slateSize }));
}

/** A one-time code that links a kiosk enrolment to this member. */
export function makeLinkCode(session: Session): Promise<LinkCode> {
  return session.call("/v1/me/link-codes", jsonBody("POST", {}));
}

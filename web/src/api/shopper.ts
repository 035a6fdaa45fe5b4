/** What a shopper can ask of the api, by widget token. */
import { ApiError, jsonBody } from "./http.ts";
import type { Session } from "./session.ts";
import type { Attachment, Basket, Behaviour, ChatReply, Conversation, DecisionView, LinkCode } from "./types.ts";

/** An answer may take as long as the slowest engine; a message sent again is answered once. */
const ANSWER_MS = 30_000;
/** A conversation that cannot be read is not gone on with; one is deleted only where the shop says that it is not there. */
const UNREADABLE = [401, 403, 404, 410];
const GONE = [404, 410];

const at = (id: string, rest = ""): string => `/v1/conversations/${encodeURIComponent(id)}${rest}`;

const unless =
  (statuses: readonly number[]) =>
  (error: unknown): undefined => {
    if (error instanceof ApiError && statuses.includes(error.status)) return undefined;
    throw error;
  };

/** Continue the conversation of this session, or the member's from another device, or start one. */
export async function openConversation(session: Session): Promise<Conversation> {
  const known = session.kept.conversation_id ?? (await elsewhere(session));
  const kept = known ? await readConversation(session, known).catch(unless(UNREADABLE)) : undefined;
  if (known && !kept && session.isGiven) session.becomeAnother();
  const opened = kept ?? (await session.call<Conversation>("/v1/conversations", beginning(session)));
  session.keep({ conversation_id: opened.conversation_id });
  return opened;
}

/** The widget's language goes before the browser's. */
function beginning({ language }: Session): RequestInit {
  const { headers, ...init } = jsonBody("POST", {});
  const wishes = [language, ...navigator.languages].filter((one) => one !== undefined);
  return { ...init, headers: { ...(headers as Record<string, string>), "accept-language": wishes.join(",") } };
}

/** The conversation that a member who is logged in has on another device. */
async function elsewhere(session: Session): Promise<string | undefined> {
  const { member_id, display_name } = await session.token();
  if (!member_id && !display_name) return undefined;
  const latest = await session
    .call<{ conversation_id: string | null }>("/v1/me/conversation")
    .catch(unless(UNREADABLE));
  return latest?.conversation_id ?? undefined;
}

/** Read a conversation's history. */
export function readConversation(session: Session, id: string): Promise<Conversation> {
  return session.call<Conversation>(at(id));
}

/** What a shopper said; `title` is what a quick reply showed, when its text is a command; `signals` is what they did before. */
export interface Said {
  readonly text: string;
  readonly title?: string;
  readonly signals?: readonly Behaviour[];
}

/** Say something; the same `client_message_id` again is the same message, not another. */
export function sendMessage(
  session: Session,
  conversationId: string,
  said: Said & { readonly client_message_id: string },
): Promise<ChatReply> {
  return session.call(at(conversationId, "/messages"), jsonBody("POST", said), ANSWER_MS);
}

/** Send a file; the answer is as to a message. */
export function sendFile(session: Session, conversationId: string, id: string, file: File): Promise<ChatReply> {
  const body = new FormData();
  body.append("client_message_id", id);
  body.append("file", file, file.name);
  return session.call(at(conversationId, "/attachments"), { method: "POST", body }, 60_000);
}

/** The bytes of a file that was sent. */
export async function readFile(session: Session, file: Attachment): Promise<Blob> {
  return (await session.raw(file.url)).blob();
}

/** Delete the conversation at the shop; one that is gone already is a success. */
export async function deleteConversation(session: Session, id: string): Promise<void> {
  await session.call(at(id), { method: "DELETE" }).catch(unless(GONE));
}

/** Say how it was, from 1 to 5. */
export function rate(session: Session, id: string, score: number, comment: string): Promise<unknown> {
  return session.call(at(id, "/rating"), jsonBody("POST", { score, ...(comment ? { comment } : {}) }));
}

/** Tell a person that the shopper types. */
export function tellTyping(session: Session, id: string, on: boolean): Promise<unknown> {
  return session.call(at(id, "/typing"), jsonBody("POST", { on }));
}

/** Tell that the shopper has read up to a message. */
export function tellRead(session: Session, id: string, messageId: string): Promise<unknown> {
  return session.call(at(id, "/read"), jsonBody("POST", { message_id: messageId }));
}

/** Ask the brain for items, outside a conversation. */
export function recommend(session: Session, slateSize: number): Promise<DecisionView> {
  return session.call("/v1/recommendations", jsonBody("POST", { channel: "widget", slate_size: slateSize }));
}

/** What is in the shopper's basket, which the chat and the page share. */
export function readBasket(session: Session): Promise<Basket> {
  return session.call("/v1/basket");
}

/** Put one more of a product in. */
export function addToBasket(session: Session, productId: string, decisionId: string | null): Promise<Basket> {
  const line = { product_id: productId, ...(decisionId ? { decision_id: decisionId } : {}) };
  return session.call("/v1/basket/lines", jsonBody("POST", line));
}

/** Make it so many pieces; none takes the line out. */
export function setInBasket(session: Session, productId: string, quantity: number): Promise<Basket> {
  return session.call(`/v1/basket/lines/${encodeURIComponent(productId)}`, jsonBody("PUT", { quantity }));
}

/** A one-time code that links a kiosk enrolment to this member. */
export function makeLinkCode(session: Session): Promise<LinkCode> {
  return session.call("/v1/me/link-codes", jsonBody("POST", {}));
}

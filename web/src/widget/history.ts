/** Putting together what was said, from answers, the live line and other tabs, each message once. */
import type { Message } from "../api/types.ts";
import type { TalkState } from "./talk.ts";

/** Who is writing. */
export type Typing = "" | "bot" | "agent";

const same = (a: Message, b: Message): boolean =>
  a.message_id === b.message_id ||
  (a.role === "user" &&
    b.role === "user" &&
    a.client_message_id != null &&
    a.client_message_id === b.client_message_id);

/** `known` with `fresh` at its end; what is there already is replaced where it stands. */
export function merged(known: readonly Message[], fresh: readonly Message[]): readonly Message[] {
  const all = [...known];
  for (const one of fresh) {
    const place = all.findIndex((other) => same(other, one));
    if (place < 0) all.push(one);
    else all[place] = { ...all[place], ...one } as Message;
  }
  return all;
}

/** The newest own message up to the one that was read; of one that is not known yet, the newest of all. */
export function upTo(messages: readonly Message[], id: unknown): string | undefined {
  if (typeof id !== "string") return undefined;
  const place = messages.findIndex((one) => one.message_id === id);
  return messages.slice(0, place < 0 ? undefined : place + 1).findLast((one) => one.role === "user")?.message_id;
}

/**
 * Who is writing, as it is shown: the assistant from the moment that a message goes to it, on every path, until it
 * answers; a person only when they truly write.
 */
export function typingIn({ typing, outbox, hand, messages }: TalkState): Typing {
  const last = messages.at(-1);
  if (last && last.role !== "user" && last.partial) return "";
  if (typing) return typing;
  const asked = outbox.some((one) => one.state === "sending");
  return asked && hand.state !== "human" && hand.state !== "closed" ? "bot" : "";
}

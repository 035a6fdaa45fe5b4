/** One conversation: opening, sending, failing and trying again. Knows nothing of the page. */
import { ApiError } from "../api/http.ts";
import type { Session } from "../api/session.ts";
import { openConversation, readConversation, type Said, sendMessage } from "../api/shopper.ts";
import type { BotMessage, ChatReply, Conversation, Message } from "../api/types.ts";
import { WORDS } from "./words.ts";

/** How a message went. */
export type Sent =
  | { readonly ok: true; readonly messages: readonly BotMessage[]; readonly handoff: boolean }
  | { readonly ok: false; readonly why: string };

const bots = (messages: readonly Message[]): BotMessage[] => messages.filter((one) => one.role === "bot");

/** The state of one conversation. */
export class Talk {
  private id = "";
  private known = 0;
  /** The text that did not arrive, if any. */
  unsent: Said | undefined;

  constructor(readonly session: Session) {}

  /** Continue or start. */
  async open(): Promise<Conversation> {
    const conversation = await openConversation(this.session);
    this.id = conversation.conversation_id;
    this.known = conversation.messages.length;
    return conversation;
  }

  /** Send; a text that did not arrive is kept, over a reload too. */
  async send(said: Said): Promise<Sent> {
    this.session.keep({ draft: said.title ?? said.text });
    try {
      return this.took(await sendMessage(this.session, this.id, said));
    } catch (error) {
      this.unsent = said;
      return { ok: false, why: reasonOf(error) };
    }
  }

  /** Send again what did not arrive, unless the server has it after all. */
  async retry(): Promise<Sent> {
    const said = this.unsent;
    if (said === undefined) return { ok: true, messages: [], handoff: false };
    try {
      const { messages, handoff } = await readConversation(this.session, this.id);
      const fresh = messages.slice(this.known);
      const answers = bots(fresh);
      if (fresh.some((one) => one.role !== "bot" && one.text === (said.title ?? said.text)) && answers.length > 0) {
        this.known = messages.length - answers.length - 1;
        return this.took({ messages: answers, handoff: handoff ?? false, engine: "rasa" });
      }
    } catch {
      // Not reachable yet: sending below says so.
    }
    return this.send(said);
  }

  private took({ messages, handoff }: ChatReply): Sent {
    this.unsent = undefined;
    this.session.keep({ draft: undefined });
    this.known += messages.length + 1;
    return { ok: true, messages, handoff };
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof ApiError)) return WORDS.notSent;
  if (error.status === 429) return WORDS.notSentBusy;
  return error.passing ? WORDS.notSent : `${error.message} ${WORDS.notSent}`;
}

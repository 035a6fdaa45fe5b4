/** One conversation: what was said, what is on its way, who answers. Knows nothing of the page. */
import { ApiError } from "../api/http.ts";
import type { Session } from "../api/session.ts";
import {
  deleteConversation,
  openConversation,
  rate,
  readConversation,
  type Said,
  tellRead,
  tellTyping,
} from "../api/shopper.ts";
import type { Behaviour, BotMessage, ChatReply, Conversation, Hand, Message } from "../api/types.ts";
import { backOff } from "../lib/sse.ts";
import { Courier, type Link } from "./courier.ts";
import { BOT, handOf } from "./hand.ts";
import { merged, type Typing, upTo } from "./history.ts";
import { Live } from "./live.ts";
import type { Pending } from "./outbox.ts";
import { type TabNews, Tabs } from "./tabs.ts";

/** What the panel shows. */
export interface TalkState {
  readonly phase: "opening" | "failed" | "open" | "forgotten";
  readonly messages: readonly Message[];
  readonly outbox: readonly Pending[];
  readonly hand: Hand;
  readonly typing: Typing;
  /** The newest own message that a person has read. */
  readonly readId: string | undefined;
  readonly link: Link;
}

/** What the panel hears of, beside the state. */
export interface TalkListener {
  readonly changed: (state: TalkState) => void;
  readonly said: (messages: readonly BotMessage[]) => void;
}

const WRITING_MS = 8000;
const TYPING_EVERY_MS = 4000;
const MOST_NOTICED = 8;
/** What an answer is called whose words are still coming. */
const PART = "part";
/** Before anything is known. */
export const NOTHING: TalkState = {
  phase: "opening",
  messages: [],
  outbox: [],
  hand: BOT,
  typing: "",
  readId: undefined,
  link: "ok",
};

/** Whether two tellings mean the same, one perhaps in more words: a closed queue is a queue. */
const sameState = (told: Hand, known: Hand): boolean =>
  told.state === known.state || (told.state === "queued" && known.state === "closed");
const isWhole = (one: Message): boolean => one.role === "user" || !one.partial;
const isBot = (one: Message): one is BotMessage => one.role !== "user";

/** The state of one conversation, and all that changes it. */
export class Talk {
  private id = "";
  private live: Live | undefined;
  private attempts = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private writing: ReturnType<typeof setTimeout> | undefined;
  private typed = 0;
  private seenId = "";
  /** Something may have been missed while messages were on their way. */
  private stale = false;
  /** What the shopper did since their last message; it goes with the next one, and nowhere else. */
  private noticed: Behaviour[] = [];
  private readonly courier: Courier;
  private readonly tabs: Tabs;
  state: TalkState = NOTHING;

  constructor(
    readonly session: Session,
    private readonly listener: TalkListener,
  ) {
    this.courier = new Courier(session, () => this.id, {
      changed: (outbox) => {
        this.change({ outbox });
        this.tabs.tell({ kind: "outbox" });
        if (this.stale && !this.courier.busy) void this.sync();
      },
      took: (one, reply) => this.took(one, reply),
      trouble: (link, one) => this.trouble(link, one),
      gone: () => this.forgotten(true),
    });
    this.tabs = new Tabs(session.key, (news) => this.hear(news));
  }

  /** Continue or start; what is still on its way is sent then. */
  async open(): Promise<void> {
    clearTimeout(this.timer);
    this.change({ phase: "opening", outbox: this.courier.all });
    try {
      this.adopt(await openConversation(this.session));
      this.attempts = 0;
      this.change({ phase: "open", link: "ok" });
      this.courier.go();
    } catch {
      this.change({ phase: "failed" });
      this.timer = setTimeout(() => void this.open(), backOff(this.attempts++));
    }
  }

  /** Say something; it is shown at once and sent in its turn. */
  say(said: Said, file?: File): void {
    const signals = file ? [] : this.noticed.splice(0);
    this.courier.add(signals.length > 0 ? { ...said, signals } : said, file);
  }

  /** Note an act of the shopper, in a conversation that they take part in. */
  notice(kind: Behaviour): void {
    const takesPart = this.state.messages.some((one) => one.role === "user") || this.state.outbox.length > 0;
    if (takesPart && this.noticed.length < MOST_NOTICED) this.noticed.push(kind);
  }

  /** Send one again that was refused, or everything that waits. */
  retry(id?: string): void {
    this.courier.retry(id);
  }

  /** Give up on one. */
  discard(id: string): void {
    this.courier.discard(id);
  }

  /** Delete the conversation, at the shop first: nothing is called forgotten that is not. */
  async forget(): Promise<boolean> {
    try {
      if (this.id) await deleteConversation(this.session, this.id);
    } catch {
      return false;
    }
    this.forgotten();
    this.tabs.tell({ kind: "forgotten" });
    return true;
  }

  /** Rate the conversation; says whether it arrived. */
  rate(score: number, comment: string): Promise<boolean> {
    return arrived(rate(this.session, this.id, score, comment));
  }

  /** The shopper types; a person who has the conversation sees it. */
  types(): void {
    if (this.state.hand.state !== "human" || Date.now() - this.typed < TYPING_EVERY_MS) return;
    this.typed = Date.now();
    void arrived(tellTyping(this.session, this.id, true));
  }

  /** The shopper has seen the newest message. */
  seen(): void {
    const newest = this.state.messages.findLast((one) => one.role === "agent")?.message_id;
    if (!newest || newest === this.seenId) return;
    this.seenId = newest;
    void arrived(tellRead(this.session, this.id, newest));
  }

  /** Follow the shop's side, or stop following it. */
  follow(on: boolean): void {
    if (on === Boolean(this.live) || (on && !this.id)) return;
    this.live?.close();
    this.live = on
      ? new Live(this.session, this.id, () => this.newest, {
          onEvent: (name, data) => this.event(name, data),
          onGap: () => void this.sync(),
        })
      : undefined;
  }

  /** Read the history again: something may have been said elsewhere. */
  async sync(): Promise<void> {
    this.stale = this.courier.busy;
    if (!this.id || this.stale) return;
    const { id } = this;
    const { messages } = this.state;
    const read = await readConversation(this.session, id).catch((error: unknown) => error);
    if (read instanceof ApiError && read.status === 404) return this.forgotten();
    if (read instanceof Error || id !== this.id) return;
    // What was said meanwhile may be missing in what was read; taken over, it would vanish and be told again later.
    if (this.courier.busy || this.state.messages !== messages) return this.sync();
    const before = new Set(this.state.messages.map((one) => one.message_id));
    this.adopt(read as Conversation);
    const fresh = this.state.messages.filter((one) => isBot(one) && !before.has(one.message_id)) as BotMessage[];
    if (fresh.length > 0) this.listener.said(fresh);
  }

  /** The connection is back: whatever waits goes now. */
  wake(): void {
    this.attempts = 0;
    if (this.state.phase === "failed") void this.open();
    else if (this.state.phase === "open") this.courier.retry();
  }

  /** Stop everything. */
  close(): void {
    clearTimeout(this.timer);
    clearTimeout(this.writing);
    this.courier.close();
    this.follow(false);
    this.tabs.close();
  }

  private get newest(): string | undefined {
    return this.state.messages.findLast((one) => isBot(one) && !one.partial)?.message_id;
  }

  private adopt(conversation: Conversation): void {
    this.id = conversation.conversation_id;
    const told = handOf(conversation.state) ?? handOf(conversation.handoff) ?? BOT;
    // The live line knows more of the same state: place, wait, name.
    const hand = sameState(told, this.state.hand) ? this.state.hand : told;
    const readId = upTo(conversation.messages, conversation.read_by_agent) ?? this.state.readId;
    this.change({ messages: conversation.messages, hand, readId });
  }

  private took(one: Pending, reply: ChatReply): void {
    const files = reply.attachments ? { attachments: reply.attachments } : {};
    const text = one.file ? "" : (one.title ?? one.text);
    const own = { message_id: reply.message_id ?? one.id, role: "user" as const, text, ...files };
    const before = new Set(this.state.messages.filter(isWhole).map((known) => known.message_id));
    const messages: Message[] = [{ ...own, client_message_id: one.id }, ...reply.messages];
    const told = this.live?.connected ? undefined : (handOf(reply.state) ?? handOf(reply.handoff));
    const hand = told && !sameState(told, this.state.hand) ? told : undefined;
    this.change({
      messages: merged(this.withoutPart, messages),
      outbox: this.courier.all,
      typing: "",
      link: "ok",
      ...(hand ? { hand } : {}),
    });
    this.tabs.tell({ kind: "messages", messages });
    if (hand) this.tabs.tell({ kind: "hand", hand });
    this.listener.said(reply.messages.filter((said) => !before.has(said.message_id)));
  }

  private trouble(link: Link, one: Pending): void {
    this.change({ link, messages: this.state.messages.filter((said) => said.message_id !== one.id) });
  }

  private event(name: string, data: unknown): void {
    const told = data as Readonly<Record<string, unknown>>;
    if (name === "message") this.heard(told as unknown as Message);
    else if (name === "part") this.part(String(told.text ?? ""));
    else if (name === "typing") this.writes(told.on === false ? "" : told.role === "bot" ? "bot" : "agent");
    else if (name === "state") this.change({ hand: handOf(told) ?? this.state.hand });
    else if (name === "read" && told.role !== "user")
      this.change({ readId: upTo(this.state.messages, told.message_id) });
    else if (name === "gone") this.forgotten();
  }

  /** Somebody writes; who stops without saying so is not waited for. */
  private writes(who: Typing): void {
    clearTimeout(this.writing);
    this.change({ typing: who });
    if (who) this.writing = setTimeout(() => this.change({ typing: "" }), WRITING_MS);
  }

  /** The words so far of an answer; the whole message takes their place. */
  private part(text: string): void {
    if (!text || !this.courier.all.some((one) => one.state === "sending")) return;
    this.heard({ message_id: PART, role: "bot", text, partial: true });
  }

  private heard(message: Message): void {
    const asked = this.courier.all.find((one) => one.state === "sending");
    const known = this.state.messages.find((one) => one.message_id === message.message_id);
    // An answer may come over the line before the request that asked for it is answered: the question is shown first.
    const question = message.role === "bot" && asked && !known ? [asText(asked)] : [];
    const before = isWhole(message) ? this.withoutPart : this.state.messages;
    this.change({
      messages: merged(before, [...question, message]),
      ...(isBot(message) ? { typing: "" as const } : {}),
    });
    if (isBot(message) && isWhole(message) && !(known && isWhole(known))) this.listener.said([message]);
  }

  private get withoutPart(): readonly Message[] {
    return this.state.messages.filter((one) => one.message_id !== PART);
  }

  private hear(news: TabNews): void {
    const outbox = this.courier.all;
    if (news.kind === "outbox") this.change({ outbox });
    else if (news.kind === "messages") this.change({ messages: merged(this.state.messages, news.messages), outbox });
    else if (news.kind === "hand") this.change({ hand: news.hand });
    else this.forgotten();
  }

  /** The conversation is no more; `restart` goes on in a new one with what still waits. */
  private forgotten(restart = false): void {
    this.follow(false);
    this.id = "";
    if (restart) {
      this.session.keep({ conversation_id: undefined });
      void this.open();
      return;
    }
    this.courier.clear();
    this.noticed = [];
    this.session.forget();
    this.change({ ...NOTHING, phase: "forgotten" });
  }

  private change(part: Partial<TalkState>): void {
    this.state = { ...this.state, ...part };
    this.listener.changed(this.state);
  }
}

const asText = (one: Pending): Message => ({
  message_id: one.id,
  client_message_id: one.id,
  role: "user",
  text: one.title ?? one.text,
});

const arrived = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );

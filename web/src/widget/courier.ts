/** Takes messages to the shop: one after the other, again when they did not arrive, and in one tab at a time. */
import { ApiError } from "../api/http.ts";
import type { Session } from "../api/session.ts";
import { type Said, sendFile, sendMessage } from "../api/shopper.ts";
import type { ChatReply } from "../api/types.ts";
import { backOff } from "../lib/sse.ts";
import { alone, Outbox, type Pending } from "./outbox.ts";

/** How the way to the shop is. */
export type Link = "ok" | "offline" | "unreachable" | "busy";

/** Who hears how it went. */
export interface CourierListener {
  readonly changed: (outbox: readonly Pending[]) => void;
  readonly took: (one: Pending, reply: ChatReply) => void;
  readonly trouble: (link: Link, one: Pending) => void;
  /** The conversation is no more. */
  readonly gone: () => void;
}

const linkOf = (error: unknown): Link => {
  if (error instanceof ApiError && error.status === 429) return "busy";
  return navigator.onLine === false ? "offline" : "unreachable";
};

/** The queue of one session and its way to the shop. */
export class Courier {
  private readonly outbox: Outbox;
  private attempts = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Something was put in after the queue was found empty. */
  private asked = false;
  private closed = false;
  /** Whether it is on its way. */
  busy = false;

  constructor(
    private readonly session: Session,
    private readonly conversationId: () => string,
    private readonly listener: CourierListener,
  ) {
    this.outbox = new Outbox(session);
  }

  /** Everything that waits, oldest first. */
  get all(): readonly Pending[] {
    return this.outbox.all;
  }

  /** Put a message at the end. */
  add(said: Said, file?: File): void {
    this.outbox.add(said, file);
    this.tell();
    this.go();
  }

  /** Send one again that was refused, or everything that waits. */
  retry(id?: string): void {
    this.attempts = 0;
    if (id) this.outbox.mark(id, "waiting");
    this.tell();
    this.go();
  }

  /** Give up on one. */
  discard(id: string): void {
    this.outbox.remove(id);
    this.tell();
  }

  /** Forget all. */
  clear(): void {
    clearTimeout(this.timer);
    this.outbox.clear();
  }

  /** Stop trying; what waits is kept. */
  close(): void {
    clearTimeout(this.timer);
    this.closed = true;
  }

  /** Send what waits. */
  go(): void {
    this.asked = this.busy;
    if (this.busy || this.closed || !this.conversationId()) return;
    this.busy = true;
    clearTimeout(this.timer);
    void alone(`${this.session.key}:send`, async () => {
      for (let next = this.outbox.next; next; next = this.outbox.next) if (!(await this.sendOne(next))) return;
    }).finally(() => {
      this.busy = false;
      this.tell();
      if (this.asked) this.go();
    });
  }

  /** Send one; says whether the next may follow. */
  private async sendOne(one: Pending): Promise<boolean> {
    if (this.closed || !this.conversationId()) return false;
    this.outbox.mark(one.id, "sending");
    this.tell();
    try {
      const reply = await this.deliver(one);
      this.attempts = 0;
      this.outbox.remove(one.id);
      this.listener.took(one, reply);
      return true;
    } catch (error) {
      return this.failed(one, error);
    }
  }

  private deliver(one: Pending): Promise<ChatReply> {
    const conversation = this.conversationId();
    if (one.file) return sendFile(this.session, conversation, one.id, one.file);
    const { text, title, signals, id } = one;
    const more = { ...(title ? { title } : {}), ...(signals ? { signals } : {}) };
    return sendMessage(this.session, conversation, { text, ...more, client_message_id: id });
  }

  private failed(one: Pending, error: unknown): boolean {
    if (error instanceof ApiError && error.status === 404 && !one.file) {
      this.outbox.mark(one.id, "waiting");
      this.listener.gone();
      return false;
    }
    if (error instanceof ApiError && !error.passing) {
      this.outbox.mark(one.id, "refused", error.message);
      return true;
    }
    this.outbox.mark(one.id, "waiting");
    this.listener.trouble(linkOf(error), one);
    this.timer = setTimeout(() => this.go(), backOff(this.attempts++));
    return false;
  }

  private tell(): void {
    if (!this.closed) this.listener.changed(this.outbox.all);
  }
}

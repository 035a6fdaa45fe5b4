/** The inbox: where staff take conversations over, answer, and give them back. */
import "../../tokens.css";
import "./inbox.css";
import { html, nothing, render } from "lit";
import { ApiError } from "../api/http.ts";
import type { Attachment } from "../api/types.ts";
import { EventStream } from "../kiosk/stream.ts";
import { addFont } from "../lib/font.ts";
import { uuid7 } from "../lib/uuid.ts";
import { draw, saveFile } from "../widget/files.ts";
import { type Card, Desk, type Detail, type Inbox, type Step } from "./api.ts";
import { type Doing, door, queue, talk } from "./views.ts";
import { WORDS } from "./words.ts";

const KEPT = "aisle:inbox";
const LOOK_AGAIN_MS = 15_000;
const TYPING_MS = 3000;

interface Typing {
  readonly conversation_id: string;
  readonly on: boolean;
}

/** The page. The key is kept for this tab only. */
class InboxPage implements Doing {
  private desk: Desk | undefined;
  private inbox: Inbox = { waiting: [], served: [], agents: [] };
  private detail: Detail | undefined;
  private trouble = "";
  private typed = 0;
  private shopperTypes = 0;
  private pending: { readonly text: string; readonly id: string } | undefined;
  private stream: EventStream<unknown> | undefined;
  private typists: EventStream<Typing> | undefined;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly root: HTMLElement) {
    const kept = sessionStorage.getItem(KEPT);
    if (kept) {
      const { key, name } = JSON.parse(kept) as { key: string; name: string };
      this.enter(new Desk(key, name));
    }
    this.draw();
  }

  readonly signIn = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const desk = new Desk(String(form.get("key")).trim(), String(form.get("name")).trim());
    sessionStorage.setItem(KEPT, JSON.stringify({ key: desk.key, name: desk.name }));
    this.enter(desk);
  };

  readonly signOut = (): void => {
    sessionStorage.removeItem(KEPT);
    this.leave("");
  };

  readonly open = (card: Card): void => {
    this.pending = undefined;
    void this.load(card.handoff_id).then(() => this.root.querySelector<HTMLElement>("#of")?.focus());
  };

  readonly move = (step: Step): void => {
    const { desk, detail } = this;
    if (!desk || !detail) return;
    void this.attempt(async () => {
      await desk.move(detail.handoff.handoff_id, step);
      await this.load(detail.handoff.handoff_id);
    }).then(() => this.root.querySelector<HTMLElement>("#reply")?.focus());
  };

  readonly send = (event: SubmitEvent): void => {
    event.preventDefault();
    const { desk, detail } = this;
    const form = event.target as HTMLFormElement;
    const text = String(new FormData(form).get("reply")).trim();
    if (!desk || !detail || !text) return;
    // What failed is sent again under the same id, so that it arrives once.
    this.pending = this.pending?.text === text ? this.pending : { text, id: uuid7() };
    const { id } = this.pending;
    void this.attempt(async () => {
      await desk.say(detail.handoff.handoff_id, text, id);
      this.pending = undefined;
      form.reset();
      await this.load(detail.handoff.handoff_id);
    });
  };

  readonly typing = (): void => {
    if (!this.desk || !this.detail || Date.now() - this.typed < TYPING_MS) return;
    this.typed = Date.now();
    void this.desk.typing(this.detail.handoff.handoff_id, true).catch(() => undefined);
  };

  readonly show = (file: Attachment, canvas: HTMLCanvasElement): void => {
    const { desk } = this;
    if (desk) void draw(() => desk.file(file), file.attachment_id, canvas);
  };

  readonly save = (file: Attachment): void => {
    const { desk } = this;
    if (!desk) return;
    void saveFile(() => desk.file(file), file.name).catch(() => {
      this.trouble = WORDS.unsaved;
      this.draw();
    });
  };

  private enter(desk: Desk): void {
    this.desk = desk;
    this.trouble = "";
    const handlers = {
      onEvent: () => void this.refresh(),
      onState: () => undefined,
      onRefused: () => this.leave(WORDS.refused),
    };
    this.stream = new EventStream("/v1/agents/stream", desk.key, "changed", handlers);
    this.typists = new EventStream<Typing>("/v1/agents/stream", desk.key, "typing", {
      onEvent: (data) => this.hearTyping(data),
      onState: () => undefined,
      onRefused: () => undefined,
    });
    this.timer = setInterval(() => void this.refresh(), LOOK_AGAIN_MS);
    void this.refresh();
  }

  private hearTyping(data: Typing): void {
    if (data.conversation_id !== this.detail?.handoff.conversation_id) return;
    this.shopperTypes = data.on ? Date.now() : 0;
    this.draw();
    setTimeout(() => this.draw(), TYPING_MS + 100);
  }

  private leave(trouble: string): void {
    this.stream?.close();
    this.typists?.close();
    clearInterval(this.timer);
    this.desk = undefined;
    this.detail = undefined;
    this.trouble = trouble;
    this.draw();
  }

  private async refresh(): Promise<void> {
    const { desk } = this;
    if (!desk) return;
    await this.attempt(async () => {
      this.inbox = await desk.inbox();
      if (this.detail) await this.load(this.detail.handoff.handoff_id);
    });
  }

  private async load(handoff: string): Promise<void> {
    const { desk } = this;
    if (!desk) return;
    const log = this.root.querySelector(".lines");
    const atEnd = !log || log.scrollHeight - log.scrollTop - log.clientHeight < 80;
    this.detail = await desk.open(handoff);
    this.inbox = await desk.inbox();
    this.draw();
    const now = this.root.querySelector(".lines");
    if (now && atEnd) now.scrollTop = now.scrollHeight;
    const last = this.detail.messages.at(-1);
    if (last && this.detail.handoff.mine) await desk.read(handoff, last.message_id);
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.trouble = "";
    } catch (error) {
      if (error instanceof ApiError && [401, 403].includes(error.status)) return this.leave(WORDS.refused);
      if (error instanceof ApiError && error.status === 404) this.detail = undefined;
      this.trouble = error instanceof ApiError ? error.message : WORDS.offline;
    }
    this.draw();
  }

  private draw(): void {
    const { desk, detail, inbox } = this;
    document.title = inbox.waiting.length > 0 ? `(${inbox.waiting.length}) ${WORDS.title}` : WORDS.title;
    if (!desk) {
      render(door(this, this.trouble), this.root);
      return;
    }
    render(
      html`<header class="top"><h1>${WORDS.title}</h1><span class="muted">${inbox.agents.join(", ")}</span>
        <button type="button" @click=${this.signOut}>${WORDS.leave}</button></header>
        <p class="unseen" role="status">${inbox.waiting.length > 0 ? WORDS.arrived(inbox.waiting.length) : ""}</p>
        ${this.trouble ? html`<p class="alert" role="alert">${this.trouble}</p>` : nothing}
        <main class="two">${queue(inbox, detail?.handoff.handoff_id ?? "", this)}
          ${detail ? talk(detail, Date.now() - this.shopperTypes < TYPING_MS, this) : html`<p class="muted">${WORDS.choose}</p>`}</main>`,
      this.root,
    );
  }
}

const root = document.querySelector<HTMLElement>("#inbox");
if (root) {
  const theme = new URL(location.href).searchParams.get("theme");
  if (theme) document.documentElement.dataset.theme = theme;
  addFont(location.origin);
  new InboxPage(root);
}

/** The open chat: loaded on first use, built on deep-chat. */
import "deep-chat";
import { OutcomeLog } from "../api/outcomes.ts";
import type { Session } from "../api/session.ts";
import type { BotMessage, ItemCard } from "../api/types.ts";
import { sheet } from "../lib/sheet.ts";
import { type ActionContext, act, indexItems, Watcher, watchViews } from "./actions.ts";
import { type Chat, makeChat, showLatest, typing } from "./chat.ts";
import { type Sent, Talk } from "./conversation.ts";
import { keepInside } from "./focus.ts";
import { type ChatEntry, entries, entry, failure, quickReplies, spoken } from "./messages.ts";
import panelCss from "./panel.css?inline";
import { type Shell, shell } from "./shell.ts";
import { WORDS } from "./words.ts";

/** What the launcher hands over. */
export interface PanelOptions {
  readonly host: HTMLElement;
  readonly root: ShadowRoot;
  readonly session: Session;
  readonly title: string;
  readonly onClose: () => void;
}

const RETRY_MS = [1000, 2000, 4000, 8000, 15_000];
const SMALL = "(max-width: 30rem), (max-height: 30rem)";

/** The chat window. */
export class Panel {
  private readonly shell: Shell;
  private readonly talk: Talk;
  private readonly outcomes: OutcomeLog;
  private readonly items = new Map<string, ItemCard>();
  private readonly watcher = new Watcher();
  private readonly small = matchMedia(SMALL);
  private chat: Chat | undefined;
  private busy = false;
  private attempts = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: PanelOptions) {
    options.root.adoptedStyleSheets.push(sheet(panelCss));
    this.shell = shell(options.title, options.onClose, () => void this.start());
    this.talk = new Talk(options.session);
    this.outcomes = new OutcomeLog(options.session);
    this.shell.panel.addEventListener("keydown", (event) => this.onKey(event));
    window.addEventListener("online", this.onOnline);
    document.addEventListener("visibilitychange", this.onHide);
    options.root.append(this.shell.panel);
    void this.start();
  }

  /** Show the window and put the focus where writing starts. */
  open(): void {
    this.shell.panel.hidden = false;
    const modal = this.small.matches;
    this.shell.panel.toggleAttribute("data-modal", modal);
    if (modal) this.shell.panel.setAttribute("aria-modal", "true");
    else this.shell.panel.removeAttribute("aria-modal");
    this.focus();
  }

  /** Hide the window; the conversation goes on where it was. */
  close(): void {
    this.shell.panel.hidden = true;
    void this.outcomes.flush();
  }

  /** Remove everything, for another shopper. */
  destroy(): void {
    clearTimeout(this.timer);
    window.removeEventListener("online", this.onOnline);
    document.removeEventListener("visibilitychange", this.onHide);
    void this.outcomes.flush();
    this.shell.panel.remove();
  }

  private readonly onOnline = (): void => {
    if (!this.chat) void this.start();
    else if (this.talk.unsent !== undefined) void this.retry();
  };

  private readonly onHide = (): void => {
    if (document.visibilityState === "hidden") void this.outcomes.flush();
  };

  private async start(): Promise<void> {
    clearTimeout(this.timer);
    if (this.chat) return;
    try {
      const conversation = await this.talk.open();
      if (this.chat) return;
      this.shell.handoff(conversation.handoff ?? false);
      indexItems(this.items, conversation.messages);
      this.mount(entries(conversation.messages, this.api));
    } catch {
      this.shell.fail(true);
      this.timer = setTimeout(() => void this.start(), RETRY_MS[Math.min(this.attempts++, RETRY_MS.length - 1)]);
    }
  }

  private mount(history: ChatEntry[]): void {
    this.shell.fail(false);
    const { session } = this.options;
    const chat = makeChat(
      (said) => this.deliver(() => this.talk.send(said)),
      session.kept.draft ?? "",
      () => {
        this.shell.ready();
        this.settle();
        this.focus();
      },
    );
    chat.history = history;
    chat.shadowRoot.addEventListener("click", (event) => act(event, this.context));
    this.chat = chat;
    this.shell.body.append(chat);
  }

  private get context(): ActionContext {
    return {
      host: this.options.host,
      outcomes: this.outcomes,
      say: (shown, payload) => this.say(shown, payload),
      retry: () => void this.retry(),
      announce: (text) => this.shell.announce(text),
      item: (id) => this.items.get(id),
    };
  }

  private say(shown: string, payload: string): void {
    if (this.busy) return;
    this.chat?.submitUserMessage({ text: shown, custom: { payload } });
    this.focus();
  }

  private get api(): string {
    return this.options.session.api;
  }

  private async retry(): Promise<void> {
    const old = this.chat?.shadowRoot.querySelector(".failure");
    old?.closest(".outer-message-container")?.remove();
    await this.deliver(() => this.talk.retry());
    this.focus();
  }

  /** Wait for an answer with the typing indicator, then show it or what went wrong. */
  private async deliver(work: () => Promise<Sent>): Promise<void> {
    const { chat } = this;
    if (!chat || this.busy) return;
    this.busy = true;
    typing(chat, true);
    this.shell.announce(WORDS.typing);
    const sent = await work();
    typing(chat, false);
    this.busy = false;
    if (sent.ok) this.show(sent.messages, sent.handoff);
    else this.showFailure(sent.why);
    this.settle();
  }

  private show(messages: readonly BotMessage[], handoff: boolean): void {
    indexItems(this.items, messages);
    this.shell.handoff(handoff);
    for (const one of [...messages.map((message) => entry(message, this.api)), ...quickReplies(messages.at(-1))]) {
      this.chat?.addMessage(one);
    }
    this.shell.announce(messages.map(spoken).join(" "));
  }

  private showFailure(why: string): void {
    this.chat?.addMessage(failure(why));
    this.shell.announce(why);
  }

  private settle(): void {
    if (!this.chat) return;
    watchViews(this.chat.shadowRoot, this.outcomes, this.watcher);
    // Again a little later: deep-chat scrolls to the end by itself, past the start of a long answer.
    for (const delay of [0, 60, 200]) setTimeout(() => this.chat && showLatest(this.chat), delay);
  }

  private focus(): void {
    if (this.shell.panel.hidden) return;
    const input = this.chat?.shadowRoot?.querySelector<HTMLElement>("#text-input");
    (input ?? this.shell.close).focus({ preventScroll: true });
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key === "Escape") {
      event.stopPropagation();
      this.options.onClose();
    } else if (this.small.matches) keepInside(event, this.shell.panel);
  }
}

/** The open chat: loaded on first use. Holds what is true of this window, and draws it. */
import { render } from "lit";
import { OutcomeLog } from "../api/outcomes.ts";
import { Session, type TokenSource } from "../api/session.ts";
import type { BotMessage } from "../api/types.ts";
import { sheet } from "../lib/sheet.ts";
import { showBasket } from "./actions.ts";
import { actsOf } from "./acts.ts";
import { Announcer } from "./announcer.ts";
import { Watching } from "./behaviour.ts";
import cardsCss from "./cards.css?inline";
import { typingIn } from "./history.ts";
import { directionOf, type Language } from "./language.ts";
import logCss from "./log.css?inline";
import panelCss from "./panel.css?inline";
import { type Acts, type Scene, STILL, type Ui } from "./scene.ts";
import { Scroller } from "./scroll.ts";
import { canListen, canSpeak, hush, readOut } from "./speech.ts";
import { NOTHING, Talk, type TalkState } from "./talk.ts";
import { frame } from "./view/frame.ts";
import { spoken } from "./view/messages.ts";
import { handWords } from "./view/people.ts";
import { keepInSight } from "./viewport.ts";
import { Watcher, watchViews } from "./watch.ts";
import type { Words } from "./words/en.ts";
import { loadWords, type Speech } from "./words.ts";

/** What the launcher hands over. */
export interface PanelOptions {
  readonly host: HTMLElement;
  readonly root: ShadowRoot;
  readonly source: TokenSource;
  readonly language: Language;
  readonly title: string;
  /** Whether files may be sent. */
  readonly files: boolean;
  readonly onClose: () => void;
  readonly onUnread: (count: number) => void;
}

const SMALL = "(max-width: 30rem), (max-height: 30rem)";

/** Load the words and make the window. */
export async function loadPanel(options: PanelOptions): Promise<Panel> {
  const session = new Session(options.source);
  const language = (session.kept.language as Language | undefined) ?? options.language;
  return new Panel(options, session, language, await loadWords(language));
}

/** The chat window. */
export class Panel {
  private readonly dialog = document.createElement("dialog");
  private readonly page = document.createElement("div");
  private readonly announcer = new Announcer();
  private readonly watcher = new Watcher();
  private readonly small = matchMedia(SMALL);
  private readonly outcomes: OutcomeLog;
  private readonly talk: Talk;
  private readonly acts: Acts;
  private readonly watching: Watching;
  private readonly undo: (() => void)[] = [];
  private wasClosed = false;
  private scroller: Scroller | undefined;
  private ui: Ui;
  private shown: TalkState = NOTHING;
  private drawing: Promise<void> | undefined;

  constructor(
    private readonly options: PanelOptions,
    private readonly session: Session,
    private language: Language,
    private speech: Speech,
  ) {
    const { root, title, files } = options;
    session.language = language;
    const talk = new Talk(session, { changed: (state) => this.changed(state), said: (all) => this.said(all) });
    const outcomes = new OutcomeLog(session);
    this.talk = talk;
    this.outcomes = outcomes;
    this.watching = new Watching((kind) => talk.notice(kind));
    this.ui = {
      ...STILL,
      title: title || this.words.title,
      files,
      speech: canListen() ? "ready" : "none",
      readAloud: canSpeak() ? false : undefined,
    };
    this.acts = this.makeActs();
    for (const css of [panelCss, logCss, cardsCss]) root.adoptedStyleSheets.push(sheet(css));
    this.build();
    this.listen();
    root.append(this.dialog);
    this.setDirection();
    void talk.open();
  }

  /** Show the window, with the focus where writing starts, and say something for the shopper. */
  open(focus = true, say = ""): void {
    if (this.wasClosed) this.watching.reopened();
    this.wasClosed = false;
    this.show();
    if (focus) this.focusOn();
    if (say) this.acts.say(say);
    this.follow();
    requestAnimationFrame(() => this.scroller?.restart());
  }

  /** Hide the window; the conversation goes on where it was. */
  close(): void {
    this.dialog.close();
    this.wasClosed = true;
    hush();
    this.follow();
    void this.outcomes.flush();
  }

  /** Remove everything, for another shopper. */
  destroy(): void {
    this.talk.close();
    for (const undo of this.undo) undo();
    hush();
    void this.outcomes.flush();
    this.dialog.remove();
  }

  /** End the shopper's session: somebody else comes. */
  signOut(): void {
    void this.outcomes.flush().finally(() => this.session.signOut());
  }

  private build(): void {
    const { dialog, page } = this;
    dialog.className = "panel";
    dialog.setAttribute("part", "panel");
    dialog.setAttribute("aria-labelledby", "aisle-title");
    dialog.dataset.testid = "chat-panel";
    page.className = "frame";
    dialog.append(page, this.announcer.element);
    dialog.addEventListener("keydown", (event) => this.onKey(event));
    // Who adds a product five times wants five.
    dialog.addEventListener("click", ({ target }) => {
      const pressed = (target as Element).closest("button, [tabindex], li");
      if (pressed && !pressed.matches(".add")) this.watching.press(pressed);
    });
    page.addEventListener("wheel", ({ deltaY }) => this.watching.scroll(deltaY), { passive: true });
    let finger: number | undefined;
    page.addEventListener("touchstart", () => (finger = undefined), { passive: true });
    page.addEventListener(
      "touchmove",
      ({ touches: [touch] }) => {
        if (!touch) return;
        if (finger !== undefined) this.watching.scroll(finger - touch.clientY);
        finger = touch.clientY;
      },
      { passive: true },
    );
    dialog.addEventListener("cancel", (event) => event.preventDefault());
  }

  private listen(): void {
    const on = (target: EventTarget, name: string, work: () => void): void => {
      target.addEventListener(name, work);
      this.undo.push(() => target.removeEventListener(name, work));
    };
    on(window, "online", () => this.talk.wake());
    on(window, "offline", () => this.talk.wake());
    on(this.small, "change", () => this.onSize());
    on(document, "visibilitychange", () => {
      this.follow();
      if (document.visibilityState === "hidden") void this.outcomes.flush();
      else void this.talk.sync();
    });
    this.undo.push(keepInSight(this.dialog, () => this.dialog.open && this.small.matches));
  }

  private makeActs(): Acts {
    const self = this;
    return actsOf({
      host: this.options.host,
      session: this.session,
      talk: this.talk,
      outcomes: this.outcomes,
      get ui() {
        return self.ui;
      },
      get words() {
        return self.words;
      },
      get language() {
        return self.language;
      },
      get field() {
        return self.field;
      },
      set: (part) => this.set(part),
      announce: (text) => this.announcer.say(text),
      focusOn: (selector) => this.focusOn(selector),
      follow: () => this.scroller?.restart(),
      speakLanguage: (language) => this.speakLanguage(language),
      close: () => this.options.onClose(),
    });
  }

  private get words(): Words {
    return this.speech.words;
  }

  private get field(): HTMLTextAreaElement | null {
    return this.page.querySelector("textarea.field");
  }

  private get focused(): HTMLElement | null {
    return this.options.root.activeElement as HTMLElement | null;
  }

  private show(): void {
    if (this.dialog.open) return;
    // Full screen it is modal and the page behind it is inert; on a large screen the page is the host's and stays usable.
    if (this.small.matches) this.dialog.showModal();
    else this.dialog.open = true; // show() would take the focus on a reload
    this.dialog.toggleAttribute("data-modal", this.small.matches);
  }

  private onSize(): void {
    if (!this.dialog.open) return;
    const { focused } = this;
    this.dialog.close();
    this.show();
    focused?.focus({ preventScroll: true });
  }

  /** The line is open while somebody looks, or waits for a person. */
  private follow(): void {
    const { phase, hand } = this.talk.state;
    const looks = this.dialog.open && document.visibilityState !== "hidden";
    this.talk.follow(phase === "open" && (looks || hand.state === "queued" || hand.state === "human"));
  }

  private changed(state: TalkState): void {
    const before = this.shown;
    this.shown = state;
    if (before.phase !== state.phase || before.hand.state !== state.hand.state) this.follow();
    for (const text of this.news(before, state)) this.announcer.say(text);
    // The field was not there yet when the window opened.
    if (before.phase === "opening" && state.phase === "open" && this.focused?.matches(".title")) this.focusOn();
    void this.draw();
  }

  /** What changed beside the messages, in words. */
  private news(before: TalkState, now: TalkState): string[] {
    const { words } = this;
    const spot = ({ hand }: TalkState): string => [hand.state, hand.position, hand.agent].join();
    const writes = typingIn(now);
    const told: string[] = [];
    if (now.phase === "open" && spot(before) !== spot(now)) told.push(handWords(words, now.hand).join(" "));
    if (writes && writes !== typingIn(before)) {
      told.push(writes === "agent" ? words.typingPerson(now.hand.agent ?? words.person) : words.typing);
    }
    if (now.link !== "ok" && before.link !== now.link) told.push(words[now.link]);
    if (before.phase !== now.phase && now.phase === "failed") told.push(words.notOpen);
    if (before.phase !== now.phase && now.phase === "forgotten") told.push(words.forgotten);
    return told;
  }

  private said(messages: readonly BotMessage[]): void {
    const basket = messages.findLast((one) => one.basket)?.basket;
    if (basket) showBasket(this.options.host, basket);
    const text = messages.map((one) => spoken(this.speech, one)).join(" ");
    this.announcer.say(text);
    if (this.ui.readAloud) readOut(text, this.language);
    if (!this.dialog.open) this.options.onUnread(messages.length);
    if (this.scroller?.away) this.set({ below: true });
  }

  private set(part: Partial<Ui>): void {
    this.ui = { ...this.ui, ...part };
    void this.draw();
  }

  /** Draw once for all changes of a moment. */
  private draw(): Promise<void> {
    this.drawing ??= Promise.resolve().then(() => {
      this.drawing = undefined;
      render(frame(this.scene), this.page);
      const log = this.page.querySelector<HTMLElement>(".log");
      if (!log) return;
      this.scroller ??= new Scroller(log, (away) => !away && this.ui.below && this.set({ below: false }));
      this.scroller.follow();
      if (this.dialog.open && document.visibilityState !== "hidden") this.talk.seen();
      watchViews(log, this.outcomes, this.watcher);
    });
    return this.drawing;
  }

  private get scene(): Scene {
    const { language, ui, speech, talk, acts } = this;
    return { ...ui, ...speech, language, api: this.session.api, talk: talk.state, on: acts };
  }

  /** Without a selector: into the field, except where that would bring up a keyboard over what there is to read. */
  private focusOn(selector?: string): void {
    void this.draw().then(() => {
      if (!this.dialog.open) return;
      const field = matchMedia("(pointer: coarse)").matches ? ".title" : "textarea.field";
      const target = this.page.querySelector<HTMLElement>(selector ?? field);
      (target ?? this.page.querySelector<HTMLElement>(".title"))?.focus({ preventScroll: true });
    });
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key !== "Escape" || event.isComposing) return;
    event.stopPropagation();
    event.preventDefault();
    if (this.ui.asking) this.acts.askForget(false);
    else if (this.ui.menu) this.acts.menu(false);
    else this.options.onClose();
  }

  private async speakLanguage(language: Language): Promise<void> {
    this.speech = await loadWords(language);
    this.language = language;
    this.session.language = language;
    this.session.keep({ language });
    this.setDirection();
    this.set({ title: this.options.title || this.words.title });
  }

  private setDirection(): void {
    const { dialog, options, language } = this;
    const own = directionOf(language);
    const chosen = this.session.kept.language !== undefined;
    const page = getComputedStyle(options.host).direction;
    dialog.lang = language;
    dialog.dir = options.host.getAttribute("dir") ?? (own === "rtl" || chosen ? own : page);
  }
}

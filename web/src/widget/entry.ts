/** The one script tag: adds a launcher to the page, and loads the chat when someone opens it. */
import tokensCss from "../../tokens.css?inline";
import { addFont } from "../lib/font.ts";
import { sheet } from "../lib/sheet.ts";
import { Greeter, noteGreeting } from "./greeter.ts";
import { readRules, textOf } from "./greetings.ts";
import { CHAT_ICON, CLOSE_ICON, icon } from "./icons.ts";
import { LAUNCHER, type Language, type LauncherWords, pickLanguage } from "./language.ts";
import launcherCss from "./launcher.css?inline";
import type { Panel, PanelOptions } from "./panel.ts";

/** Where the chat's own chunk lies, relative to the api; set by the build. */
declare const __PANEL_PATH__: string;

const script = document.currentScript as HTMLScriptElement | null;
const ORIGIN = script?.src ? new URL(script.src).origin : location.origin;
const WATCHED = ["token-url", "token", "api", "consent", "lang"] as const;
/** What the script tag may say beside its title and theme; each becomes an attribute of the element. */
const SETTINGS = ["token", "token-url", "lang", "dir", "side", "consent", "files", "greetings"] as const;
const OPEN_KEY = "aisle:open";

const make = <K extends keyof HTMLElementTagNameMap>(tag: K, className: string): HTMLElementTagNameMap[K] => {
  const element = document.createElement(tag);
  element.className = className;
  element.setAttribute("part", className);
  return element;
};

const isYes = (value: string | null): boolean => ["yes", "true", ""].includes(value ?? "no");

/** `<aisle-chat token-url="/demo/session">`: the widget as an element. */
export class AisleChat extends HTMLElement {
  static readonly observedAttributes: readonly string[] = WATCHED;

  private readonly root = this.attachShadow({ mode: "open" });
  private readonly launcher = make("button", "launcher");
  private readonly badge = make("span", "badge");
  private panel: Panel | undefined;
  private loading: Promise<void> | undefined;
  private greeter: Greeter | undefined;
  private isOpen = false;
  private unread = 0;

  connectedCallback(): void {
    if (this.launcher.isConnected) return;
    this.root.adoptedStyleSheets = [sheet(tokensCss), sheet(launcherCss)];
    const { launcher, badge } = this;
    launcher.type = "button";
    launcher.dataset.testid = "launcher";
    launcher.setAttribute("aria-haspopup", "dialog");
    for (const [name, data] of [
      ["chat", CHAT_ICON],
      ["cross", CLOSE_ICON],
    ] as const) {
      const face = make("span", name);
      face.append(icon(data));
      launcher.append(face);
    }
    badge.hidden = true;
    badge.setAttribute("aria-hidden", "true");
    launcher.append(badge);
    launcher.addEventListener("click", () => (this.isOpen ? this.close() : void this.open()));
    this.root.append(launcher);
    this.showState();
    if (this.wasOpen) void this.open(false);
    else this.greet();
  }

  disconnectedCallback(): void {
    this.greeter?.stop();
    this.drop();
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after || !this.launcher.isConnected) return;
    if (name === "consent") {
      this.greet();
      return;
    }
    // Another shopper or language: nothing of the one before may stay on the screen.
    if (name !== "lang") this.panel?.signOut();
    this.drop();
    this.showState();
    if (this.isOpen) void this.open(false);
  }

  /** Open the chat, and say something for the shopper. */
  async open(focus = true, say = ""): Promise<void> {
    this.isOpen = true;
    this.unread = 0;
    this.greeter?.stop();
    this.root.querySelector(".greeting")?.remove();
    if (this.consent) noteGreeting({ opened: Date.now() });
    this.remember();
    this.showState();
    this.loading ??= this.load();
    await this.loading;
    if (this.isOpen) this.panel?.open(focus, say);
  }

  /** Close the chat and give the focus back. */
  close(): void {
    this.isOpen = false;
    this.panel?.close();
    this.remember();
    this.showState();
    this.launcher.focus({ preventScroll: true });
  }

  private drop(): void {
    this.panel?.destroy();
    this.panel = undefined;
    this.loading = undefined;
  }

  private get api(): string {
    return (this.getAttribute("api") ?? ORIGIN).replace(/\/$/, "");
  }

  private get consent(): boolean {
    return isYes(this.getAttribute("consent"));
  }

  private get language(): Language {
    return pickLanguage([this.getAttribute("lang"), document.documentElement.lang, ...navigator.languages]);
  }

  private get words(): LauncherWords {
    return LAUNCHER[this.language];
  }

  private get wasOpen(): boolean {
    try {
      return sessionStorage.getItem(OPEN_KEY) === "yes";
    } catch {
      return false;
    }
  }

  /** Over a reload; before the first click nothing is kept. */
  private remember(): void {
    try {
      if (this.isOpen) sessionStorage.setItem(OPEN_KEY, "yes");
      else sessionStorage.removeItem(OPEN_KEY);
    } catch {
      // Without storage the chat starts closed after a reload.
    }
  }

  private showState(): void {
    const { open, close, unread } = this.words;
    const label = this.isOpen ? close : open;
    this.launcher.setAttribute("aria-expanded", String(this.isOpen));
    this.launcher.setAttribute("aria-label", this.unread > 0 ? `${label}, ${unread(this.unread)}` : label);
    this.badge.hidden = this.unread === 0;
    this.badge.textContent = this.unread > 9 ? "9+" : String(this.unread);
    this.toggleAttribute("open", this.isOpen);
  }

  private async load(): Promise<void> {
    this.launcher.setAttribute("aria-busy", "true");
    addFont(this.api);
    try {
      const module: { loadPanel: (options: PanelOptions) => Promise<Panel> } = await import(
        /* @vite-ignore */ `${this.api}${__PANEL_PATH__}`
      );
      this.panel = await module.loadPanel({
        host: this,
        root: this.root,
        language: this.language,
        source: {
          api: this.api,
          tokenUrl: this.getAttribute("token-url") ?? undefined,
          token: this.getAttribute("token") ?? undefined,
          consent: this.consent,
        },
        title: this.getAttribute("chat-title") ?? "",
        files: isYes(this.getAttribute("files")),
        onClose: () => this.close(),
        onUnread: (count) => {
          this.unread = this.isOpen ? 0 : this.unread + count;
          this.showState();
        },
      });
    } catch {
      this.loading = undefined;
      this.isOpen = false;
      this.showState();
      this.note(this.words.notLoaded);
    } finally {
      this.launcher.removeAttribute("aria-busy");
    }
  }

  /** Watch for a greeting's moment, where the shopper agreed to be remembered. */
  private greet(): void {
    this.greeter?.stop();
    const rules = readRules(this.getAttribute("greetings"));
    if (!this.consent || this.isOpen || rules.length === 0) return;
    this.greeter = new Greeter(rules, (rule) => {
      const bubble = make("div", "greeting");
      bubble.dataset.testid = "greeting";
      bubble.setAttribute("role", "status");
      const say = make("button", "greeting-text");
      say.textContent = textOf(rule, this.language);
      say.addEventListener("click", () => void this.open(true, rule.say));
      const dismiss = make("button", "greeting-close");
      dismiss.dataset.testid = "greeting-close";
      dismiss.setAttribute("aria-label", this.words.dismiss);
      dismiss.append(icon(CLOSE_ICON));
      const end = (): void => {
        noteGreeting({ dismissed: Date.now() });
        if (bubble.contains(this.root.activeElement)) this.launcher.focus();
        bubble.remove();
      };
      dismiss.addEventListener("click", end);
      bubble.addEventListener("keydown", ({ key }) => key === "Escape" && end());
      this.root.prepend(bubble);
      bubble.append(say, dismiss);
    });
  }

  private note(text: string): void {
    this.root.querySelector(".note")?.remove();
    const note = make("p", "note");
    note.setAttribute("role", "alert");
    note.textContent = text;
    this.root.append(note);
    setTimeout(() => note.remove(), 8000);
  }
}

/** Add the element that the script tag describes, unless the page has its own. */
function start(): void {
  if (!customElements.get("aisle-chat")) customElements.define("aisle-chat", AisleChat);
  if (!script || document.querySelector("aisle-chat") || "manual" in script.dataset) return;
  const chat = document.createElement("aisle-chat");
  const copy = (name: string, as = name): void => {
    const value = script.getAttribute(`data-${name}`);
    if (value !== null) chat.setAttribute(as, value);
  };
  for (const name of SETTINGS) copy(name);
  copy("title", "chat-title");
  copy("theme", "data-theme");
  document.body.append(chat);
}

if (document.body) start();
else document.addEventListener("DOMContentLoaded", start);

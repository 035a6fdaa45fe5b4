/** The one script tag: adds a launcher to the page, and loads the chat when someone opens it. */
import tokensCss from "../../tokens.css?inline";
import { Session } from "../api/session.ts";
import { addFont } from "../lib/font.ts";
import { sheet } from "../lib/sheet.ts";
import { CHAT_ICON, CLOSE_ICON } from "./icons.ts";
import launcherCss from "./launcher.css?inline";
import type { Panel, PanelOptions } from "./panel.ts";
import { WORDS } from "./words.ts";

/** Where the chat's own chunk lies, relative to the api; set by the build. */
declare const __PANEL_PATH__: string;

const script = document.currentScript as HTMLScriptElement | null;
const ORIGIN = script?.src ? new URL(script.src).origin : location.origin;
const WATCHED = ["token-url", "token", "api"] as const;

/** `<aisle-chat token-url="/demo/session">`: the widget as an element. */
export class AisleChat extends HTMLElement {
  static readonly observedAttributes: readonly string[] = WATCHED;

  private readonly root = this.attachShadow({ mode: "open" });
  private readonly launcher = document.createElement("button");
  private panel: Panel | undefined;
  private loading: Promise<void> | undefined;
  private isOpen = false;

  connectedCallback(): void {
    if (this.launcher.isConnected) return;
    const api = this.api;
    addFont(api);
    this.root.adoptedStyleSheets = [sheet(tokensCss), sheet(launcherCss)];
    this.launcher.type = "button";
    this.launcher.className = "launcher";
    this.launcher.dataset.testid = "launcher";
    this.launcher.setAttribute("aria-haspopup", "dialog");
    this.launcher.innerHTML = `<span class="chat">${CHAT_ICON}</span><span class="cross">${CLOSE_ICON}</span>`;
    this.launcher.addEventListener("click", () => (this.isOpen ? this.close() : this.open()));
    this.root.append(this.launcher);
    const reopen = this.wasOpen;
    this.showState();
    if (reopen) void this.open();
  }

  disconnectedCallback(): void {
    this.panel?.destroy();
    this.panel = undefined;
  }

  attributeChangedCallback(_name: string, before: string | null, after: string | null): void {
    if (before === after || !this.launcher.isConnected) return;
    // Another shopper: nothing of the one before may stay on the screen.
    this.panel?.destroy();
    this.panel = undefined;
    this.loading = undefined;
    if (this.isOpen) void this.open();
  }

  /** Open the chat. */
  async open(): Promise<void> {
    this.isOpen = true;
    this.showState();
    this.loading ??= this.load();
    await this.loading;
    if (this.isOpen) this.panel?.open();
  }

  /** Close the chat and give the focus back. */
  close(): void {
    this.isOpen = false;
    this.panel?.close();
    this.showState();
    this.launcher.focus({ preventScroll: true });
  }

  private get api(): string {
    return (this.getAttribute("api") ?? ORIGIN).replace(/\/$/, "");
  }

  private get wasOpen(): boolean {
    try {
      return sessionStorage.getItem("aisle:open") === "yes";
    } catch {
      return false;
    }
  }

  private showState(): void {
    this.launcher.setAttribute("aria-expanded", String(this.isOpen));
    this.launcher.setAttribute("aria-label", this.isOpen ? WORDS.launcherClose : WORDS.launcher);
    this.toggleAttribute("open", this.isOpen);
    try {
      sessionStorage.setItem("aisle:open", this.isOpen ? "yes" : "no");
    } catch {
      // Without storage the chat starts closed after a reload.
    }
  }

  private async load(): Promise<void> {
    this.launcher.setAttribute("aria-busy", "true");
    try {
      const module: { Panel: new (options: PanelOptions) => Panel } = await import(
        /* @vite-ignore */ `${this.api}${__PANEL_PATH__}`
      );
      this.panel = new module.Panel({
        host: this,
        root: this.root,
        session: new Session({
          api: this.api,
          tokenUrl: this.getAttribute("token-url") ?? undefined,
          token: this.getAttribute("token") ?? undefined,
        }),
        title: this.getAttribute("chat-title") ?? WORDS.title,
        onClose: () => this.close(),
      });
    } catch {
      this.loading = undefined;
      this.isOpen = false;
      this.showState();
      this.note(WORDS.notLoaded);
    } finally {
      this.launcher.removeAttribute("aria-busy");
    }
  }

  private note(text: string): void {
    this.root.querySelector(".note")?.remove();
    const note = document.createElement("p");
    note.className = "note";
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
  const { token, tokenUrl, theme, title } = script.dataset;
  if (token) chat.setAttribute("token", token);
  if (tokenUrl) chat.setAttribute("token-url", tokenUrl);
  if (theme) chat.dataset.theme = theme;
  if (title) chat.setAttribute("chat-title", title);
  document.body.append(chat);
}

if (document.body) start();
else document.addEventListener("DOMContentLoaded", start);

/** Sets up deep-chat: our styles, our words, no outside address, and a usable accessibility tree. */
import type { DeepChat } from "deep-chat";
import type { Said } from "../api/shopper.ts";
import { adoptInlineStyles, sheet } from "../lib/sheet.ts";
import chatCss from "./chat.css?inline";
import { SEND_ICON } from "./icons.ts";
import { WORDS } from "./words.ts";

/** A chat element whose shadow root exists. */
export type Chat = DeepChat & { readonly shadowRoot: ShadowRoot };

/** Sends what the shopper said. */
export type Send = (said: Said) => Promise<void>;

/** What was said: typed words, or the command behind a quick reply and the title that was shown. */
export function saidIn(body: unknown): Said {
  const { messages } = body as { messages?: { text?: string; custom?: { payload?: string } }[] };
  const { text = "", custom } = messages?.at(-1) ?? {};
  const command = custom?.payload;
  return command && command !== text ? { text: command, title: text } : { text };
}

/** Make the element; `send` runs for each message and deep-chat waits for it; `rendered` after each drawing. */
export function makeChat(send: Send, draft: string, rendered: () => void = () => undefined): Chat {
  const chat = document.createElement("deep-chat") as Chat;
  // deep-chat links a web font from outside unless another family is set before it renders.
  chat.style.fontFamily = "var(--aisle-font)";
  Object.assign(chat.style, {
    border: "0",
    width: "100%",
    height: "100%",
    background: "transparent",
    display: "block",
  });
  chat.connect = {
    handler: (body, signals) => {
      void send(saidIn(body)).finally(() => signals.onResponse([]));
    },
  };
  chat.textInput = { characterLimit: 1000, placeholder: { text: WORDS.placeholder } };
  chat.submitButtonStyles = { position: "inside-end", submit: { svg: { content: SEND_ICON } } };
  chat.displayLoadingBubble = { toggle: () => undefined };
  chat.errorMessages = { displayServiceErrorMessages: false };
  if (draft) chat.defaultInput = { text: draft };
  const { shadowRoot } = chat;
  shadowRoot.adoptedStyleSheets.push(sheet(chatCss));
  // A busy page makes deep-chat draw itself twice and tell us of the first time only: its content is watched instead.
  new MutationObserver(() => {
    dress(shadowRoot);
    rendered();
  }).observe(shadowRoot.querySelector("#container") as Element, { childList: true });
  return chat;
}

/** Show or hide the typing indicator. */
export function typing(chat: Chat, on: boolean): void {
  const bubble = chat.displayLoadingBubble;
  const shown = chat.shadowRoot.querySelector(".loading-message-text, .deep-chat-loading-message-dots-container");
  if (typeof bubble === "object" && on === !shown) bubble.toggle();
}

/** Scroll to the end, but never past the beginning of a long answer. */
export function showLatest(chat: Chat): void {
  const log = chat.shadowRoot.querySelector<HTMLElement>("#messages");
  const asked = [...chat.shadowRoot.querySelectorAll<HTMLElement>(".user-message-text")].at(-1);
  if (!log) return;
  const bottom = log.scrollHeight - log.clientHeight;
  const top = asked ? log.scrollTop + asked.getBoundingClientRect().top - log.getBoundingClientRect().top - 12 : bottom;
  log.scrollTo({ top: Math.min(bottom, top), behavior: "auto" });
}

function dress(root: ShadowRoot): void {
  adoptInlineStyles(root);
  const log = root.querySelector("#messages");
  // New messages are read out by the panel's own live region, in fewer words.
  log?.setAttribute("role", "log");
  log?.setAttribute("aria-live", "off");
  log?.setAttribute("aria-label", WORDS.log);
  log?.setAttribute("tabindex", "0");
  const input = root.querySelector("#text-input");
  input?.setAttribute("data-testid", "chat-input");
  input?.setAttribute("aria-label", WORDS.placeholder);
  input?.setAttribute("aria-multiline", "true");
  input?.setAttribute("enterkeyhint", "send");
  const send = root.querySelector(".input-button");
  send?.setAttribute("data-testid", "chat-send");
  send?.setAttribute("aria-label", WORDS.send);
}

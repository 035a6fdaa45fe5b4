/** The frame around the conversation: header, body, a place for trouble, and the live region. */
import { CLOSE_ICON } from "./icons.ts";
import { WORDS } from "./words.ts";

/** The parts that the panel moves. */
export interface Shell {
  readonly panel: HTMLElement;
  readonly body: HTMLElement;
  readonly close: HTMLButtonElement;
  readonly announce: (text: string) => void;
  readonly handoff: (on: boolean) => void;
  readonly fail: (on: boolean) => void;
  readonly ready: () => void;
}

const make = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  text = "",
): HTMLElementTagNameMap[K] => {
  const element = document.createElement(tag);
  element.className = className;
  if (text) element.textContent = text;
  return element;
};

function header(
  title: string,
  onClose: () => void,
): { header: HTMLElement; subtitle: HTMLElement; close: HTMLButtonElement } {
  const head = make("header", "head");
  const mark = make("span", "mark", "AI");
  mark.setAttribute("aria-hidden", "true");
  const words = make("div", "words");
  const heading = make("h2", "title", title);
  heading.id = "aisle-title";
  const subtitle = make("p", "subtitle", WORDS.subtitle);
  words.append(heading, subtitle);
  const close = make("button", "close");
  close.type = "button";
  close.dataset.testid = "chat-close";
  close.setAttribute("aria-label", WORDS.close);
  close.innerHTML = CLOSE_ICON;
  close.addEventListener("click", onClose);
  head.append(mark, words, close);
  return { header: head, subtitle, close };
}

function troublePlace(onRetry: () => void): HTMLElement {
  const place = make("div", "trouble");
  place.hidden = true;
  place.dataset.testid = "chat-unreachable";
  const retry = make("button", "retry", WORDS.retry);
  retry.type = "button";
  retry.addEventListener("click", onRetry);
  place.append(make("p", "what", WORDS.notOpen), make("p", "kept", WORDS.notOpenKept), retry);
  return place;
}

/** Lines that hold the place of messages while they are read. */
function skeleton(): HTMLElement {
  const bones = make("div", "bones");
  bones.setAttribute("aria-hidden", "true");
  bones.append(make("i", ""), make("i", ""), make("i", ""));
  return bones;
}

/** Build the frame. */
export function shell(title: string, onClose: () => void, onRetry: () => void): Shell {
  const panel = make("section", "panel");
  panel.hidden = true;
  panel.dataset.testid = "chat-panel";
  panel.setAttribute("role", "dialog");
  panel.setAttribute("aria-labelledby", "aisle-title");
  const top = header(title, onClose);
  const body = make("div", "body");
  const bones = skeleton();
  const trouble = troublePlace(onRetry);
  const live = make("div", "unseen");
  live.setAttribute("role", "status");
  live.setAttribute("aria-live", "polite");
  live.dataset.testid = "chat-live";
  body.append(bones, trouble);
  panel.append(top.header, body, live);
  return {
    panel,
    body,
    close: top.close,
    announce: (text) => {
      live.textContent = text;
    },
    handoff: (on) => {
      top.subtitle.textContent = on ? WORDS.handoff : WORDS.subtitle;
    },
    fail: (on) => {
      if (trouble.hidden === on) live.textContent = on ? WORDS.notOpen : "";
      trouble.hidden = !on;
      bones.hidden = on;
    },
    ready: () => bones.remove(),
  };
}

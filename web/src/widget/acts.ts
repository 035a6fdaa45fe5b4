/** What everything that can be pressed in the window does. */
import type { OutcomeLog } from "../api/outcomes.ts";
import type { Session } from "../api/session.ts";
import { readFile } from "../api/shopper.ts";
import { add, copied, DONE_MS } from "./actions.ts";
import { draw, refusal, saveFile, shrunk } from "./files.ts";
import type { Language } from "./language.ts";
import { type Acts, STILL, toggled, type Ui } from "./scene.ts";
import { hush, listen } from "./speech.ts";
import type { Talk } from "./talk.ts";
import { grow } from "./view/composer.ts";
import { LEAVE } from "./view/people.ts";
import type { Words } from "./words/en.ts";

/** What they need of the window. */
export interface Window {
  readonly host: HTMLElement;
  readonly session: Session;
  readonly talk: Talk;
  readonly outcomes: OutcomeLog;
  readonly ui: Ui;
  readonly words: Words;
  readonly language: Language;
  readonly field: HTMLTextAreaElement | null;
  readonly set: (part: Partial<Ui>) => void;
  readonly announce: (text: string) => void;
  /** Put the focus on what `selector` finds once it is drawn; without one, where writing starts. */
  readonly focusOn: (selector?: string) => void;
  readonly follow: () => void;
  readonly speakLanguage: (language: Language) => Promise<void>;
  readonly close: () => void;
}

type Part<K extends keyof Acts> = Pick<Acts, K>;

function talking(window: Window): Part<"types" | "say" | "reply" | "retry" | "discard" | "latest" | "restart"> {
  const { talk, set, follow, focusOn } = window;
  return {
    types: () => talk.types(),
    say: (text) => {
      const { file } = window.ui;
      if (file) talk.say({ text: file.name }, file);
      if (text.trim()) talk.say({ text: text.trim() });
      set({ file: undefined, notice: "" });
      follow();
    },
    reply: ({ title, text }) => {
      talk.say(text && text !== title ? { text, title } : { text: title });
      follow();
      focusOn();
    },
    retry: (id) => {
      talk.notice("resent");
      talk.retry(id);
      focusOn();
    },
    discard: (id) => {
      talk.discard(id);
      focusOn();
    },
    latest: () => {
      set({ below: false });
      follow();
      focusOn(".log");
    },
    restart: () => void talk.open().then(() => focusOn()),
  };
}

function onCards(window: Window): Part<"add" | "why" | "more" | "copy"> {
  const { host, session, outcomes, set, announce } = window;
  return {
    add: async (item, decisionId) => {
      if (!(await add(host, session, outcomes, item, decisionId))) {
        announce(window.words.addFailed);
        set({ notice: window.words.addFailed });
        return;
      }
      set({ notice: "" });
      announce(`${window.words.added}: ${item.name}`);
      set({ added: toggled(window.ui.added, item.product_id, true) });
      setTimeout(() => set({ added: toggled(window.ui.added, item.product_id, false) }), DONE_MS);
    },
    why: (key, item, decisionId, basis) => {
      const open = !window.ui.explained.has(key);
      set({ explained: toggled(window.ui.explained, key, open) });
      if (!open) return;
      announce([item.reason, basis].filter(Boolean).join(" "));
      outcomes.add({ type: "clicked", decisionId, productId: item.product_id });
    },
    more: (messageId, firstHidden) => {
      set({ unfolded: toggled(window.ui.unfolded, messageId, true) });
      window.focusOn(`[data-message="${CSS.escape(messageId)}"] [data-product="${CSS.escape(firstHidden)}"] .add`);
    },
    copy: async (code) => {
      if (!(await copied(code))) return;
      announce(window.words.copied);
      set({ copied: code });
      setTimeout(() => set({ copied: "" }), DONE_MS);
    },
  };
}

function withFiles(window: Window): Part<"pick" | "load" | "openFile"> {
  const { session, set, announce } = window;
  const tell = (notice: string): void => {
    announce(notice);
    set({ notice });
  };
  return {
    pick: async (file) => {
      const small = file && (await shrunk(file));
      const trouble = small ? refusal(small, window.words) : "";
      tell(trouble);
      set({ file: trouble ? undefined : small });
      window.focusOn();
    },
    load: (file, canvas) => void draw(() => readFile(session, file), file.attachment_id, canvas),
    openFile: (file) =>
      void saveFile(() => readFile(session, file), file.name).catch(() => tell(window.words.attachmentUnshown)),
  };
}

/** What the field holds when `text` is understood in place of what was `heard` before; what was typed meanwhile stays. */
export function spoken(field: string, heard: string, text: string): string {
  const at = heard ? field.lastIndexOf(heard) : -1;
  if (at >= 0) return field.slice(0, at) + text + field.slice(at + heard.length);
  return [field, text].filter(Boolean).join(" ");
}

/** Speaking, which first says what it means for the sound. */
function speaking(window: Window): Part<"speak" | "readAloud"> {
  const { set, announce } = window;
  let told = false;
  let stop: (() => void) | undefined;
  const start = (): void => {
    let heard = "";
    const write = (text: string): void => {
      if (!window.field) return;
      window.field.value = spoken(window.field.value, heard, text);
      heard = text;
      grow(window.field);
    };
    hush();
    set({ speech: "listening", notice: "" });
    announce(window.words.listening);
    stop = listen(window.language, write, ({ error }) => {
      const trouble = { "": "", nothing: window.words.speakFailed, denied: window.words.speakDenied }[error];
      announce(trouble);
      set({ speech: "ready", notice: trouble });
      window.focusOn();
    });
  };
  return {
    speak: () => {
      const { speech } = window.ui;
      if (speech === "listening") return stop?.();
      if (!told && speech === "ready") {
        told = true;
        set({ speech: "ask" });
        return window.focusOn(".notice .primary");
      }
      start();
    },
    readAloud: (on) => {
      if (!on) hush();
      set({ readAloud: on });
    },
  };
}

function inMenu(window: Window): Part<"menu" | "language" | "askForget" | "forget" | "close"> {
  const { talk, set, focusOn } = window;
  return {
    close: window.close,
    menu: (open = false) => {
      set({ menu: open });
      if (!open) focusOn(".menu-button");
    },
    language: (language) => void window.speakLanguage(language),
    askForget: (asked) => {
      set({ asking: asked ? "forget" : "", menu: false });
      focusOn(asked ? '[data-testid="forget-no"]' : ".menu-button");
    },
    forget: async () => {
      set({ asking: "forgetting" });
      const gone = await talk.forget();
      set({ ...(gone ? STILL : {}), asking: gone ? "" : "forget-failed" });
      if (gone) focusOn('[data-testid="chat-restart"]');
    },
  };
}

function withPeople(window: Window): Part<"rate" | "skipRating" | "leave"> {
  const { talk, set, announce } = window;
  return {
    rate: async (score, comment) => {
      const sent = await talk.rate(score, comment);
      announce(sent ? window.words.rated : window.words.unreachable);
      set(sent ? { rating: "sent", notice: "" } : { notice: window.words.unreachable });
      if (sent) window.focusOn();
    },
    skipRating: () => {
      set({ rating: "skipped" });
      window.focusOn();
    },
    leave: (text, contact) => {
      if (!text || !contact) return set({ leaving: "missing" });
      const title = `${text}\n\n${window.words.leaveContact}: ${contact}`;
      talk.say({ text: `${LEAVE} ${title}`, title });
      set({ leaving: "" });
      window.focusOn();
    },
  };
}

/** All of them, for one window. */
export const actsOf = (window: Window): Acts => ({
  ...talking(window),
  ...onCards(window),
  ...withFiles(window),
  ...speaking(window),
  ...inMenu(window),
  ...withPeople(window),
});

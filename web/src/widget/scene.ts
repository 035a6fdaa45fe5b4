/** What the views draw from, and what they call when something is pressed. */
import type { Attachment, ItemCard, QuickReply } from "../api/types.ts";
import type { Language } from "./language.ts";
import type { TalkState } from "./talk.ts";
import type { Words } from "./words/en.ts";

/** What the shopper can do. */
export interface Acts {
  readonly close: () => void;
  readonly say: (text: string) => void;
  readonly reply: (reply: QuickReply) => void;
  readonly retry: (id?: string) => void;
  readonly discard: (id: string) => void;
  readonly add: (item: ItemCard, decisionId: string | null | undefined) => void;
  readonly why: (key: string, item: ItemCard, decisionId: string | null | undefined, basis: string) => void;
  readonly more: (messageId: string, firstHidden: string) => void;
  readonly copy: (code: string) => void;
  readonly pick: (file: File | undefined) => void;
  readonly load: (file: Attachment, canvas: HTMLCanvasElement) => void;
  readonly openFile: (file: Attachment) => void;
  readonly menu: (open?: boolean) => void;
  readonly language: (language: Language) => void;
  readonly readAloud: (on: boolean) => void;
  readonly speak: () => void;
  readonly askForget: (asked: boolean) => void;
  readonly forget: () => void;
  readonly restart: () => void;
  readonly rate: (score: number, comment: string) => void;
  readonly skipRating: () => void;
  readonly types: () => void;
  readonly leave: (text: string, contact: string) => void;
  readonly latest: () => void;
}

/** What is true of this window only. */
export interface Ui {
  readonly title: string;
  readonly files: boolean;
  readonly menu: boolean;
  readonly asking: "" | "forget" | "forgetting" | "forget-failed";
  readonly file: File | undefined;
  readonly notice: string;
  readonly speech: "none" | "ready" | "ask" | "listening";
  readonly readAloud: boolean | undefined;
  readonly below: boolean;
  readonly rating: "" | "sent" | "skipped";
  readonly leaving: "" | "missing";
  readonly added: ReadonlySet<string>;
  readonly explained: ReadonlySet<string>;
  readonly unfolded: ReadonlySet<string>;
  readonly copied: string;
}

/** All of it. */
export interface Scene extends Ui {
  readonly api: string;
  readonly language: Language;
  readonly words: Words;
  readonly basedOn: Readonly<Record<string, string>>;
  readonly talk: TalkState;
  readonly on: Acts;
}

/** How everything starts. */
export const STILL: Omit<Ui, "title" | "files" | "speech" | "readAloud"> = {
  menu: false,
  asking: "",
  file: undefined,
  notice: "",
  below: false,
  rating: "",
  leaving: "",
  added: new Set(),
  explained: new Set(),
  unfolded: new Set(),
  copied: "",
};

/** A set with one more, or without it. */
export function toggled<T>(set: ReadonlySet<T>, one: T, on: boolean): ReadonlySet<T> {
  const next = new Set(set);
  if (on) next.add(one);
  else next.delete(one);
  return next;
}

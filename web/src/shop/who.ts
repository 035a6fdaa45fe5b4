/** Who shops at the demo, and what their device is called: a visitor keeps their basket when they sign in. */
import { uuid7 } from "../lib/uuid.ts";

const KEY = "aisle:shop:who";

/** A shopper of the page; `member` is empty while nobody is signed in. */
export interface Who {
  readonly member: string;
  readonly visitor: string;
}

/** The shopper of before a reload, or a new visitor. */
export function lastHere(store: Storage = localStorage): Who {
  try {
    const { member, visitor } = JSON.parse(store.getItem(KEY) ?? "") as Who;
    if (typeof member === "string" && typeof visitor === "string") return { member, visitor };
  } catch {
    // Nobody was here, or an older page.
  }
  return keep({ member: "", visitor: uuid7() }, store);
}

/** Whoever comes after a member is somebody else; a visitor who signs in is the same person. */
export const next = (before: Who, member: string, store: Storage = localStorage): Who =>
  keep({ member, visitor: before.member ? uuid7() : before.visitor }, store);

/** Where a token for them comes from. */
export function tokenUrl({ member, visitor }: Who): string {
  const query = new URLSearchParams({ visitor, ...(member ? { member } : {}) });
  return `/demo/session?${query}`;
}

function keep(who: Who, store: Storage): Who {
  try {
    store.setItem(KEY, JSON.stringify(who));
  } catch {
    // They are then known for this page only.
  }
  return who;
}

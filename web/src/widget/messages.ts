/** Messages as HTML for deep-chat: one bubble per message, with its cards, coupon and answers. */
import type { BotMessage, CouponCard, ItemCard, Message, Money } from "../api/types.ts";
import { lines, markup, Safe } from "../lib/html.ts";
import { absolute } from "../lib/url.ts";
import { CHECK_ICON, PLUS_ICON } from "./icons.ts";
import { BASED_ON, WORDS } from "./words.ts";

/** What deep-chat takes. */
export interface ChatEntry {
  readonly role: "user" | "ai";
  readonly text?: string;
  readonly html?: string;
}

const FIRST_CARDS = 3;

const price = (now: Money, regular?: Money | null): Safe => markup`<span class="price">
  <strong>${now.text}</strong>${
    regular && regular.minor_units > now.minor_units
      ? markup`<s><span class="unseen">${WORDS.was} </span>${regular.text}</s>`
      : null
  }</span>`;

function card(item: ItemCard, api: string, decisionId: string | null | undefined, hidden: boolean): Safe {
  const basis = BASED_ON[item.reason_code ?? ""];
  const why = item.reason
    ? markup`<button type="button" class="why" data-action="why" data-testid="why-button" aria-expanded="false"
      aria-label="${WORDS.whyLabel(item.name)}">${WORDS.why}</button>`
    : null;
  return markup`<li class="card" data-testid="product-card" data-product="${item.product_id}"
    data-decision="${decisionId}" ${new Safe(hidden ? "hidden" : "")}>
    <span class="picture"><img src="${absolute(item.picture_url, api)}" alt="" width="64" height="64" loading="lazy"></span>
    <span class="facts"><span class="name"><bdi>${item.name}</bdi></span>${price(item.price, item.regular_price)}</span>
    <button type="button" class="add" data-action="add" data-testid="add-button" aria-label="${WORDS.addLabel(item.name)}">
      <span class="glyph plus">${new Safe(PLUS_ICON)}</span><span class="glyph check">${new Safe(CHECK_ICON)}</span>
      <span class="label">${WORDS.add}</span></button>
    ${item.reason ? markup`<span class="reason"><bdi>${item.reason}</bdi></span>` : null}${why}
    ${basis ? markup`<span class="basis" hidden>${basis}</span>` : null}
  </li>`;
}

function cards(message: BotMessage, api: string): Safe | null {
  const items = message.items ?? [];
  if (items.length === 0) return null;
  // One lonely card behind a button would be a joke; then all are shown.
  const shown = items.length <= FIRST_CARDS + 1 ? items.length : FIRST_CARDS;
  const rest = items.length - shown;
  return markup`<ul class="cards">${items.map((item, index) => card(item, api, message.decision_id, index >= shown))}</ul>${
    rest > 0
      ? markup`<button type="button" class="more" data-action="more" data-testid="more-button">${WORDS.more(rest)}</button>`
      : null
  }`;
}

/** A date as the shopper's language writes it. */
export const day = (iso: string, locale?: string): string =>
  new Intl.DateTimeFormat(locale, { day: "numeric", month: "long" }).format(new Date(iso));

const coupon = (one: CouponCard, api: string): Safe => markup`<div class="coupon" data-testid="coupon-card">
  <img class="qr" src="${absolute(one.qr_url, api)}" alt="${WORDS.qr(one.code)}" width="88" height="88">
  <span class="facts"><span class="eyebrow">${WORDS.couponTitle}</span><span class="deal"><bdi>${one.text}</bdi></span>
  <span class="until">${WORDS.couponUntil(day(one.expires_at))}</span></span>
  <span class="code"><code data-testid="coupon-code">${one.code}</code>
  <button type="button" class="copy" data-action="copy" data-code="${one.code}">${WORDS.copy}</button></span>
</div>`;

/** The chips under the newest message; deep-chat removes them when the next message comes. */
export function quickReplies(message: BotMessage | undefined): ChatEntry[] {
  const replies = message?.quick_replies ?? [];
  if (replies.length === 0) return [];
  const chips = replies.map(
    ({ title, text }) =>
      markup`<li><button type="button" class="chip" data-action="reply" data-testid="quick-reply"
        data-text="${text || title}">${title}</button></li>`,
  );
  const html = markup`<div class="deep-chat-temporary-message"><ul class="chips" aria-label="${WORDS.quickReplies}">${chips}</ul></div>`;
  return [{ role: "ai", html: html.text }];
}

/** One message of the conversation. */
export function entry(message: Message, api: string): ChatEntry {
  if (message.role !== "bot") return { role: "user", text: message.text };
  const text = message.text ? markup`<div class="say">${lines(message.text)}</div>` : null;
  const html = markup`<div class="turn" data-testid="bot-message">${text}${cards(message, api)}${
    message.coupon ? coupon(message.coupon, api) : null
  }</div>`;
  return { role: "ai", html: html.text };
}

/** A whole history, with the newest message's chips at its end. */
export function entries(messages: readonly Message[], api: string): ChatEntry[] {
  const last = messages.at(-1);
  return [...messages.map((one) => entry(one, api)), ...quickReplies(last?.role === "bot" ? last : undefined)];
}

/** What happened, what was kept, what to do. */
export function failure(text: string): ChatEntry {
  const html = markup`<div class="deep-chat-temporary-message"><div class="failure" data-testid="chat-error">
    <p>${text}</p><button type="button" data-action="retry" data-testid="chat-retry">${WORDS.retry}</button></div></div>`;
  return { role: "ai", html: html.text };
}

/** What a screen reader hears of a message. */
export function spoken(message: BotMessage): string {
  const count = message.items?.length ?? 0;
  return [
    message.text,
    count > 0 ? WORDS.items(count) : "",
    message.coupon ? `${WORDS.couponTitle}: ${message.coupon.text}.` : "",
  ]
    .filter(Boolean)
    .join(" ");
}

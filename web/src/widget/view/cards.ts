/** What an answer carries beside its words: products, a coupon, a basket, an order, a table, files. */
import { html, nothing, type TemplateResult } from "lit";
import type {
  BasketLine,
  BasketView,
  BotMessage,
  CouponCard,
  ItemCard,
  Money,
  OrderView,
  Table,
} from "../../api/types.ts";
import { absolute } from "../../lib/url.ts";
import type { Scene } from "../scene.ts";
import type { Words } from "../words/en.ts";
import { glyph } from "./glyph.ts";

const FIRST_CARDS = 3;
type Part = TemplateResult | typeof nothing;

function price({ words }: Scene, now: Money, regular?: Money | null): TemplateResult {
  const was =
    regular && regular.minor_units > now.minor_units
      ? html`<s><span class="unseen">${words.was} </span>${regular.text}</s>`
      : nothing;
  return html`<span class="price"><strong>${now.text}</strong>${was}</span>`;
}

const picture = (scene: Scene, url: string | undefined): Part =>
  url
    ? html`<span class="picture"><img src=${absolute(url, scene.api)} alt="" width="64" height="64" loading="lazy"></span>`
    : nothing;

function card(scene: Scene, item: ItemCard, { message_id, decision_id: decisionId }: BotMessage): TemplateResult {
  const { words, basedOn, on } = scene;
  const key = `${message_id}:${item.product_id}`;
  const open = scene.explained.has(key);
  const added = scene.added.has(item.product_id);
  const basis = basedOn[item.reason_code ?? ""] ?? "";
  const why = item.reason
    ? html`<button type="button" class="why" data-testid="why-button" aria-expanded=${open ? "true" : "false"}
      aria-label=${`${words.why} ${item.name}`} @click=${() => on.why(key, item, decisionId, basis)}>${words.why}</button>`
    : nothing;
  return html`<li class="card ${open ? "explained" : ""}" data-testid="product-card" data-product=${item.product_id}
    data-decision=${decisionId ?? ""}>
    ${picture(scene, item.picture_url)}
    <span class="facts"><span class="name"><bdi>${item.name}</bdi></span>${price(scene, item.price, item.regular_price)}</span>
    <button type="button" class="add ${added ? "done" : ""}" data-testid="add-button"
      aria-label=${added ? `${words.added}: ${item.name}` : words.addLabel(item.name)} @click=${() => on.add(item, decisionId)}>
      ${glyph(added ? "check" : "plus")}<span class="label">${added ? words.added : words.add}</span></button>
    ${item.reason ? html`<span class="reason"><bdi>${item.reason}</bdi></span>` : nothing}${why}
    ${basis && open ? html`<span class="basis">${basis}</span>` : nothing}
  </li>`;
}

function cards(scene: Scene, message: BotMessage): Part {
  const { message_id, items = [] } = message;
  if (items.length === 0) return nothing;
  // One lonely card behind a button would be a joke; then all are shown.
  const all = items.length <= FIRST_CARDS + 1 || scene.unfolded.has(message_id);
  const shown = all ? items : items.slice(0, FIRST_CARDS);
  const more = html`<button type="button" class="more" data-testid="more-button"
    @click=${() => scene.on.more(message_id, items[shown.length]?.product_id ?? "")}>${scene.words.more(items.length - shown.length)}</button>`;
  return html`<ul class="cards" data-message=${message_id}>${shown.map((item) => card(scene, item, message))}</ul>${all ? nothing : more}`;
}

const day = (iso: string, locale: string): string =>
  new Intl.DateTimeFormat(locale, { day: "numeric", month: "long" }).format(new Date(iso));

/** What a coupon gives, and for what; one of an older conversation says it in its own words. */
export const couponWords = (words: Words, { text, discount, product_name: name }: CouponCard): string =>
  name ? words.couponOff(discount.text, name) : text;

function coupon(scene: Scene, one: CouponCard | null | undefined): Part {
  if (!one) return nothing;
  const { words, language, copied } = scene;
  return html`<div class="coupon" data-testid="coupon-card">
    <img class="qr" src=${absolute(one.qr_url, scene.api)} alt=${words.qr(one.code)} width="88" height="88">
    <span class="facts"><span class="eyebrow">${words.couponTitle}</span><span class="deal"><bdi>${couponWords(words, one)}</bdi></span>
    ${one.reason ? html`<span class="reason"><bdi>${one.reason}</bdi></span>` : nothing}
    <span class="until">${words.couponUntil(day(one.expires_at, language))}</span></span>
    <span class="code"><code data-testid="coupon-code" dir="ltr">${one.code}</code>
    <button type="button" class="copy" @click=${() => scene.on.copy(one.code)}>${copied === one.code ? words.copied : words.copy}</button></span>
  </div>`;
}

const amount = ({ quantity }: BasketLine): Part =>
  quantity && quantity !== 1 ? html`<span class="quantity">${quantity} ×</span>` : nothing;

function lines(scene: Scene, { lines: all = [], total }: Partial<BasketView>): Part {
  if (!Array.isArray(all) || all.length === 0) return nothing;
  return html`<ul class="lines">${all.map(
    (one) => html`<li>${picture(scene, one.picture_url)}<span class="name">${amount(one)}<bdi>${one.name}</bdi></span>
      <span class="amount">${(one.amount ?? one.price)?.text ?? ""}</span></li>`,
  )}</ul>${total ? html`<p class="total"><span>${scene.words.total}</span><strong>${total.text}</strong></p>` : nothing}`;
}

const sheet = (title: string, status: string, body: Part, hook: string): TemplateResult =>
  html`<section class="sheet" data-testid=${hook} aria-label=${title}><p class="sheet-head"><strong><bdi>${title}</bdi></strong>
    ${status ? html`<span class="state"><bdi>${status}</bdi></span>` : nothing}</p>${body}</section>`;

const basket = (scene: Scene, one: BasketView | null | undefined): Part =>
  one && Array.isArray(one.lines) ? sheet(scene.words.basket, "", lines(scene, one), "basket-card") : nothing;

const order = (scene: Scene, one: OrderView | null | undefined): Part =>
  one?.order_id
    ? sheet(scene.words.order(`\u2068${one.order_id}\u2069`), one.status ?? "", lines(scene, one), "order-card")
    : nothing;

function table({ words }: Scene, one: Table | null | undefined): Part {
  if (!one || !Array.isArray(one.columns) || !Array.isArray(one.rows)) return nothing;
  // A wide table scrolls in its own box, which the keyboard reaches.
  return html`<div class="table" tabindex="0" role="region" aria-label=${one.caption ?? words.details} data-testid="table-card"><table>
    ${one.caption ? html`<caption>${one.caption}</caption>` : nothing}
    <thead><tr>${one.columns.map((name) => html`<th scope="col"><bdi>${name}</bdi></th>`)}</tr></thead>
    <tbody>${one.rows.map(
      (row) =>
        html`<tr>${row.map((cell: string | number | null, place: number) =>
          place === 0 ? html`<th scope="row"><bdi>${cell}</bdi></th>` : html`<td><bdi>${cell ?? "–"}</bdi></td>`,
        )}</tr>`,
    )}</tbody></table></div>`;
}

/** Everything that `message` carries; what this widget does not know is left out. */
export const extras = (scene: Scene, message: BotMessage): TemplateResult =>
  html`${cards(scene, message)}${coupon(scene, message.coupon)}${table(scene, message.table)}${basket(scene, message.basket)}${order(scene, message.order)}`;

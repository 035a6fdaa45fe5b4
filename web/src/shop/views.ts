/** The demo shop's pieces. */
import { html, nothing, type TemplateResult } from "lit";
import type { DemoMember, ItemCard, LinkCode, Money } from "../api/types.ts";
import { absolute } from "../lib/url.ts";
import { type Basket, count, moneyText, total } from "./basket.ts";
import { WORDS } from "./words.ts";

const picture = (item: ItemCard): TemplateResult =>
  html`<span class="picture"><img src=${absolute(item.picture_url, location.origin)} alt="" loading="lazy"></span>`;

function price(now: Money, regular?: Money | null): TemplateResult {
  const was =
    regular && regular.minor_units > now.minor_units
      ? html`<s><span class="unseen">${WORDS.was} </span>${regular.text}</s>`
      : nothing;
  return html`<p class="price"><strong>${now.text}</strong>${was}</p>`;
}

/** Who is shopping: members of the demo, or nobody in particular. */
export function memberSwitch(
  members: readonly DemoMember[],
  current: string,
  onPick: (memberId: string) => void,
): TemplateResult {
  const option = (id: string, name: string): TemplateResult =>
    html`<label class="who"><input type="radio" name="who" value=${id} .checked=${id === current}
      data-testid="shop-member-option" data-member=${id} @change=${() => onPick(id)}><span>${name}</span></label>`;
  return html`<fieldset class="switch" data-testid="shop-member-switch"><legend class="unseen">${WORDS.who}</legend>
    ${option("", WORDS.visiting)}${members.map((one) => option(one.member_id, one.display_name))}</fieldset>`;
}

/** One product of the grid. */
export function productTile(item: ItemCard, added: boolean, onAdd: () => void): TemplateResult {
  return html`<li class="tile" data-testid="product-card" data-product=${item.product_id}>
    ${picture(item)}
    <h3 class="name"><bdi>${item.name}</bdi></h3>
    ${item.reason ? html`<p class="reason"><bdi>${item.reason}</bdi></p>` : nothing}
    <div class="buy">${price(item.price, item.regular_price)}
      <button type="button" class="add ${added ? "done" : ""}" data-testid="add-button" aria-label=${WORDS.addLabel(item.name)}
        @click=${onAdd}>${added ? WORDS.added : WORDS.add}</button></div>
  </li>`;
}

/** Grey tiles that hold the place of products. */
export const bones = (): TemplateResult =>
  html`<ul class="grid" aria-hidden="true">${Array.from({ length: 8 }, () => html`<li class="tile bone"><span class="picture"></span><i></i><i></i></li>`)}</ul>`;

/** What is in the basket. */
export function basketView(basket: Basket, onChange: (productId: string, by: number) => void): TemplateResult {
  const sum = total(basket);
  if (!sum) return html`<p class="empty"><strong>${WORDS.empty}</strong> ${WORDS.emptyHow}</p>`;
  const step = (id: string, by: number, label: string, sign: string): TemplateResult =>
    html`<button type="button" class="step" aria-label=${label} @click=${() => onChange(id, by)}>${sign}</button>`;
  const lines = basket.map(
    ({ item, quantity }) => html`<li class="line">${picture(item)}
      <span class="what"><span class="name"><bdi>${item.name}</bdi></span>
      <span class="amount">${moneyText({ minor_units: item.price.minor_units * quantity, currency: sum.currency })}</span></span>
      <span class="steps">${step(item.product_id, -1, WORDS.less(item.name), "−")}<b>${quantity}</b>${step(item.product_id, 1, WORDS.more(item.name), "+")}</span>
    </li>`,
  );
  return html`<ul class="lines" data-testid="basket-lines">${lines}</ul>
    <p class="sum"><span>${WORDS.total}</span><strong>${moneyText(sum)}</strong></p>
    <p class="until">${WORDS.checkout}</p>`;
}

/** The code that links a kiosk to this member. */
export function pairing(code: LinkCode | undefined, trouble: string): TemplateResult {
  if (trouble) return html`<p class="note" role="alert">${trouble}</p>`;
  if (!code) return html`<p class="pairing ghost" aria-hidden="true">······</p>`;
  const until = new Intl.DateTimeFormat(undefined, { timeStyle: "short" }).format(new Date(code.expires_at));
  const spelled = code.code.split("").join(" ");
  return html`<p>${WORDS.pairText}</p>
    <p class="pairing" data-testid="pairing-code" data-code=${code.code} aria-label=${spelled} role="text">${code.code}</p>
    <p class="until">${WORDS.pairUntil(until)}</p>`;
}

/** The button that opens the basket. */
export const basketButton = (basket: Basket, onOpen: () => void): TemplateResult =>
  html`<button type="button" class="bag" data-testid="basket-button" @click=${onOpen}>
    ${WORDS.basket}<span class="badge">${count(basket)}</span><span class="unseen">${WORDS.basketUnit(count(basket))}</span></button>`;

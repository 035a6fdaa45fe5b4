/** The demo shop's pieces. */
import { html, nothing, type TemplateResult } from "lit";
import type { Basket, DemoMember, ItemCard, LinkCode, Money } from "../api/types.ts";
import { absolute } from "../lib/url.ts";
import { WORDS } from "./words.ts";

const picture = ({ picture_url }: Pick<ItemCard, "picture_url">): TemplateResult =>
  html`<span class="picture"><img src=${absolute(picture_url, location.origin)} alt="" loading="lazy"></span>`;

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

/** What is in the basket; `onSet` makes a line so many pieces. */
export function basketView(
  basket: Basket | undefined,
  onSet: (productId: string, count: number) => void,
): TemplateResult {
  if (!basket?.pieces) return html`<p class="empty"><strong>${WORDS.empty}</strong> ${WORDS.emptyHow}</p>`;
  const step = (id: string, count: number, label: string, sign: string): TemplateResult =>
    html`<button type="button" class="step" aria-label=${label} @click=${() => onSet(id, count)}>${sign}</button>`;
  const lines = basket.lines.map(
    (line) => html`<li class="line">${picture(line)}
      <span class="what"><span class="name"><bdi>${line.name}</bdi></span>
      <span class="amount">${line.amount?.text ?? ""}</span></span>
      <span class="steps">${step(line.product_id, line.quantity - 1, WORDS.less(line.name), "−")}<b>${line.quantity}</b>${step(line.product_id, line.quantity + 1, WORDS.more(line.name), "+")}</span>
    </li>`,
  );
  return html`<ul class="lines" data-testid="basket-lines">${lines}</ul>
    <p class="sum"><span>${WORDS.total}</span><strong>${basket.total.text}</strong></p>
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
export function basketButton(basket: Basket | undefined, onOpen: () => void): TemplateResult {
  const pieces = basket?.pieces ?? 0;
  return html`<button type="button" class="bag" data-testid="basket-button" @click=${onOpen}>
    ${WORDS.basket}<span class="badge">${pieces}</span><span class="unseen">${WORDS.basketUnit(pieces)}</span></button>`;
}

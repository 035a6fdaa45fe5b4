/** Pieces that several kiosk screens share. */
import { html, nothing, type TemplateResult } from "lit";
import type { CouponCard, ItemCard, Money, Poster } from "../api/types.ts";
import { absolute } from "../lib/url.ts";
import { countWords, language, shortName, WORDS } from "./words.ts";

const here = (url: string): string => absolute(url, location.origin);

/** A price, with the regular one only where it is truly higher. */
export function price(now: Money, regular?: Money | null): TemplateResult {
  const was =
    regular && regular.minor_units > now.minor_units
      ? html`<s><span class="unseen">${WORDS.was} </span>${regular.text}</s>`
      : nothing;
  return html`<span class="price"><strong>${now.text}</strong>${was}</span>`;
}

/** One item, to be read from two metres. */
export function itemCard(item: ItemCard, reason?: string): TemplateResult {
  return html`<li class="item" data-testid="product-card" data-product=${item.product_id}>
    <span class="picture"><img src=${here(item.picture_url)} alt=""></span>
    <span class="facts"><span class="name"><bdi>${shortName(item.name)}</bdi></span>${price(item.price, item.regular_price)}
    ${reason ? html`<span class="reason"><bdi>${reason}</bdi></span>` : nothing}</span>
  </li>`;
}

/** A poster, framed. */
export function poster(one: Poster): TemplateResult {
  return html`<img class="poster" data-testid="kiosk-poster" src=${here(one.url)} alt=${one.alt} width=${one.width} height=${one.height}>`;
}

/** What the coupon gives, and for what, as far as a glance takes it in. */
export const couponWords = ({ text, discount, product_name: name }: CouponCard): readonly string[] =>
  name
    ? [WORDS.off(discount.text), shortName(name)]
    : [language === "en" && countWords(text) <= 7 ? text : WORDS.off(discount.text)];

/** A coupon to take along. */
export function coupon(one: CouponCard): TemplateResult {
  const [deal, what] = couponWords(one);
  return html`<section class="coupon" data-testid="coupon-card" aria-label=${WORDS.coupon}>
    <img class="qr" data-testid="coupon-qr" src=${here(one.qr_url)} alt=${WORDS.qr(one.code)}>
    <div><p class="deal"><bdi>${deal}</bdi></p>${what ? html`<p class="what"><bdi>${what}</bdi></p>` : nothing}<p class="how">${WORDS.couponHow}</p>
    <p class="code" data-testid="coupon-code">${one.code}</p></div>
  </section>`;
}

/** Pieces that several kiosk screens share. */
import { html, nothing, type TemplateResult } from "lit";
import type { CouponCard, Film, ItemCard, Money, Poster } from "../api/types.ts";
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

const wantsStill = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** The film that plays in a poster's place: none where the shopper's machine asks for no motion, or it cannot be played. */
export const filmOf = (one: Poster | null | undefined): Film | undefined =>
  one?.film && !wantsStill() && !unplayable.has(one.film.film_id) ? one.film : undefined;

const unplayable = new Set<string>();

/** A poster, framed, or its film: muted, since nobody at a kiosk asked for sound, and with the film's still where motion is not wanted. */
export function poster(one: Poster): TemplateResult {
  const film = filmOf(one);
  if (film) {
    const failed = (event: Event): void => {
      unplayable.add(film.film_id);
      (event.target as HTMLElement).dispatchEvent(new CustomEvent("film-failed", { bubbles: true }));
    };
    return html`<video class="poster" data-testid="kiosk-film" src=${here(film.url)} poster=${here(film.still)} aria-label=${one.alt}
      width=${one.width} height=${one.height} .muted=${true} autoplay loop playsinline @error=${failed}></video>`;
  }
  if (one.film && wantsStill())
    return html`<img class="poster" data-testid="kiosk-poster" src=${here(one.film.still)} alt=${one.alt} width=${one.width} height=${one.height}>`;
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

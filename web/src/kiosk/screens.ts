/** What the kiosk shows in each mode. */
import { html, nothing, type TemplateResult } from "lit";
import type { DisplayState, Slide } from "../api/types.ts";
import { coupon, couponWords, itemCard, poster, price } from "./parts.ts";
import { countWords, leadOf, reasonOf, reasonsThatFit, shortName, WORDS } from "./words.ts";

const headline = (text: string): TemplateResult =>
  html`<h1 class="headline" data-testid="kiosk-headline" tabindex="-1"><bdi>${text}</bdi></h1>`;

const subline = (text?: string): TemplateResult | typeof nothing =>
  text ? html`<p class="subline"><bdi>${text}</bdi></p>` : nothing;

const items = (cards: readonly TemplateResult[]): TemplateResult | typeof nothing =>
  cards.length > 0 ? html`<ul class="items" data-testid="kiosk-items">${cards}</ul>` : nothing;

/** The slides of the loop; the state's own poster when there are none. */
export function slidesOf(state: DisplayState): readonly Slide[] {
  if (state.slides && state.slides.length > 0) return state.slides;
  return [{ headline: state.headline, poster: state.poster ?? null, item: state.items[0] ?? null }];
}

function placard(slide: Slide, state: DisplayState): TemplateResult {
  const { item } = slide;
  if (!item) return html`<div class="placard bare"><p class="retailer">${state.retailer}</p></div>`;
  return html`<div class="placard"><span class="picture"><img src=${item.picture_url} alt=""></span>
    <p class="name"><bdi>${shortName(item.name)}</bdi></p>${price(item.price, item.regular_price)}</div>`;
}

/** Headline and subline; one that only repeats what the poster says gives way to the shop's own. */
function slideLead({ headline: own, item }: Slide, state: DisplayState): TemplateResult {
  const [title, text] = leadOf(state);
  return html`<div class="lead">${headline(own && own !== item?.name ? own : title)}${subline(text)}</div>`;
}

const lead = (state: DisplayState): TemplateResult => {
  const [title, text] = leadOf(state);
  return html`<div class="lead">${headline(title)}${subline(text)}</div>`;
};

/** Nobody known is here: one good poster after the other. */
export function attract(state: DisplayState, at: number): TemplateResult {
  const slides = slidesOf(state);
  const slide = slides[at % slides.length] ?? { headline: state.headline };
  const dots = slides.map((_, index) => html`<i class=${index === at % slides.length ? "on" : ""}></i>`);
  return html`<main class="screen attract">
    ${slideLead(slide, state)}
    <div class="stage" data-testid="kiosk-items" data-product=${slide.item?.product_id ?? nothing}>
      ${slide.poster ? poster(slide.poster) : placard(slide, state)}
    </div>
    ${slides.length > 1 ? html`<div class="dots" aria-hidden="true">${dots}</div>` : nothing}
  </main>`;
}

const ROOM: Readonly<Partial<Record<DisplayState["mode"], number>>> = { calm: 2, help: 2, inspire: 6 };

/** How many items a screen has room for. */
export const roomFor = (mode: DisplayState["mode"]): number => ROOM[mode] ?? 3;

/** Somebody who said yes is here. */
export function welcome(state: DisplayState): TemplateResult {
  const shown = state.items.slice(0, roomFor(state.mode));
  const used = countWords(
    ...leadOf(state),
    WORDS.recognised,
    WORDS.notMe,
    ...shown.flatMap((item) => [shortName(item.name), item.price.text]),
    ...(state.coupon ? [...couponWords(state.coupon), WORDS.couponHow, state.coupon.code] : []),
  );
  const reasons = reasonsThatFit(shown.map(reasonOf), used);
  // six items say more than three and a poster of one of them
  const beside =
    state.mode === "inspire" ? undefined : (state.poster ?? (state.poster_follows ? "follows" : undefined));
  return html`<main class="screen welcome ${state.mode === "inspire" ? "discover" : ""}">
    ${lead(state)}
    <div class="pair ${beside ? "with-poster" : ""}">
      ${beside ? html`<div class="stage">${beside === "follows" ? html`<span class="poster blank"></span>` : poster(beside)}</div>` : nothing}
      ${items(shown.map((item, index) => itemCard(item, reasons[index])))}
    </div>
    ${state.coupon ? coupon(state.coupon) : nothing}
  </main>`;
}

/** Somebody looks unhappy: little, still, and helpful. */
export function calm(state: DisplayState): TemplateResult {
  const shown = state.items.slice(0, roomFor(state.mode));
  return html`<main class="screen calm">
    ${lead(state)}
    ${items(shown.map((item) => itemCard(item)))}
  </main>`;
}

/** What is left when there is nothing to play: the shop's name, and no apology. */
export function plain(retailer: string): TemplateResult {
  return html`<main class="screen plain" data-testid="kiosk-plain"><div class="placard bare">
    ${retailer ? html`<p class="retailer">${retailer}</p>` : nothing}${headline(WORDS.waiting)}</div></main>`;
}

/** A screen with words only. */
export function notice(title: string, text: string): TemplateResult {
  return html`<main class="screen notice"><div class="lead">${headline(title)}${subline(text)}</div></main>`;
}

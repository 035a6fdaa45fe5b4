/** A basket in the browser: enough of a shop to close the loop from decision to purchase. */
import type { ItemCard, Money } from "../api/types.ts";

/** One line of a basket. */
export interface Line {
  readonly item: ItemCard;
  readonly quantity: number;
  readonly decisionId: string | null;
}

export type Basket = readonly Line[];

/** Put one more of an item in. */
export function put(basket: Basket, item: ItemCard, decisionId: string | null): Basket {
  const there = basket.some((line) => line.item.product_id === item.product_id);
  if (!there) return [...basket, { item, quantity: 1, decisionId }];
  return change(basket, item.product_id, 1);
}

/** Change a quantity; a line with none left goes. */
export function change(basket: Basket, productId: string, by: number): Basket {
  return basket
    .map((line) => (line.item.product_id === productId ? { ...line, quantity: line.quantity + by } : line))
    .filter((line) => line.quantity > 0);
}

/** How many things are in it. */
export const count = (basket: Basket): number => basket.reduce((sum, line) => sum + line.quantity, 0);

/** What it costs; undefined when it is empty. */
export function total(basket: Basket): Omit<Money, "text"> | undefined {
  const currency = basket[0]?.item.price.currency;
  if (!currency) return undefined;
  return {
    minor_units: basket.reduce((sum, { item, quantity }) => sum + item.price.minor_units * quantity, 0),
    currency,
  };
}

/** Money as the page's language writes it. */
export function moneyText({ minor_units, currency }: Omit<Money, "text">, locale?: string): string {
  const format = new Intl.NumberFormat(locale, { style: "currency", currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(minor_units / 10 ** digits);
}

const KEY = "aisle:basket:";

/** The kept basket of one shopper. */
export function load(shopper: string): Basket {
  try {
    return JSON.parse(localStorage.getItem(KEY + shopper) ?? "[]") as Basket;
  } catch {
    return [];
  }
}

/** Keep a shopper's basket over a reload. */
export function save(shopper: string, basket: Basket): void {
  try {
    localStorage.setItem(KEY + shopper, JSON.stringify(basket));
  } catch {
    // The basket then lasts for this page only.
  }
}

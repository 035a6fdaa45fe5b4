/** What the buttons on cards do to the page and to the event log. */
import type { OutcomeLog } from "../api/outcomes.ts";
import type { ItemCard } from "../api/types.ts";

/** Detail of `aisle:add-to-basket`, for the page that embeds us. */
export interface AddToBasket {
  readonly product_id: string;
  readonly decision_id: string | null;
  readonly quantity: number;
  readonly item: ItemCard | undefined;
}

/** How long a button says that it worked. */
export const DONE_MS = 2000;

/** Tell the page and the log that a product goes into the basket. */
export function addToBasket(
  host: HTMLElement,
  outcomes: OutcomeLog,
  item: ItemCard,
  decisionId: string | null | undefined,
): void {
  const detail: AddToBasket = { product_id: item.product_id, decision_id: decisionId || null, quantity: 1, item };
  host.dispatchEvent(new CustomEvent("aisle:add-to-basket", { bubbles: true, composed: true, detail }));
  outcomes.add({ type: "added_to_basket", decisionId: detail.decision_id, productId: item.product_id });
}

/** Copy a text; says whether the browser let us. */
export const copied = (text: string): Promise<boolean> =>
  navigator.clipboard?.writeText(text).then(
    () => true,
    () => false,
  ) ?? Promise.resolve(false);

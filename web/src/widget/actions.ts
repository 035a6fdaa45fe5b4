/** What the buttons on cards do to the basket, the page and the event log. */
import type { OutcomeLog } from "../api/outcomes.ts";
import type { Session } from "../api/session.ts";
import { addToBasket } from "../api/shopper.ts";
import type { Basket, BasketView, ItemCard } from "../api/types.ts";

/** Detail of `aisle:add-to-basket`, for the page that embeds us. */
export interface AddToBasket {
  readonly product_id: string;
  readonly decision_id: string | null;
  readonly quantity: number;
  readonly item: ItemCard | undefined;
}

/** How long a button says that it worked. */
export const DONE_MS = 2000;

const tell = (host: HTMLElement, name: string, detail: unknown): boolean =>
  host.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, cancelable: true, detail }));

/** Tell the page what is in the basket now. */
export const showBasket = (host: HTMLElement, basket: Basket | BasketView): boolean =>
  tell(host, "aisle:basket", basket);

/** Put a product into the basket, unless the page says that it has one of its own; says whether it is in one. */
export async function add(
  host: HTMLElement,
  session: Session,
  outcomes: OutcomeLog,
  item: ItemCard,
  decisionId: string | null | undefined,
): Promise<boolean> {
  const detail: AddToBasket = { product_id: item.product_id, decision_id: decisionId || null, quantity: 1, item };
  const ours = tell(host, "aisle:add-to-basket", detail);
  if (ours) {
    const basket = await addToBasket(session, item.product_id, detail.decision_id).catch(() => undefined);
    if (!basket) return false;
    showBasket(host, basket);
  }
  outcomes.add({ type: "added_to_basket", decisionId: detail.decision_id, productId: item.product_id });
  return true;
}

/** Copy a text; says whether the browser let us. */
export const copied = (text: string): Promise<boolean> =>
  navigator.clipboard?.writeText(text).then(
    () => true,
    () => false,
  ) ?? Promise.resolve(false);

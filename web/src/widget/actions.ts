/** What the buttons inside messages do. */
import type { OutcomeLog } from "../api/outcomes.ts";
import type { ItemCard, Message } from "../api/types.ts";
import { WORDS } from "./words.ts";

/** What actions need from the panel. */
export interface ActionContext {
  readonly host: HTMLElement;
  readonly outcomes: OutcomeLog;
  readonly say: (shown: string, payload: string) => void;
  readonly retry: () => void;
  readonly announce: (text: string) => void;
  readonly item: (productId: string) => ItemCard | undefined;
}

/** Detail of `aisle:add-to-basket`, for the page that embeds us. */
export interface AddToBasket {
  readonly product_id: string;
  readonly decision_id: string | null;
  readonly quantity: number;
  readonly item: ItemCard | undefined;
}

const DONE_MS = 2000;

function add(button: HTMLElement, { host, outcomes, announce, item }: ActionContext): void {
  const product = button.closest<HTMLElement>(".card")?.dataset;
  const productId = product?.product;
  if (!productId) return;
  const detail: AddToBasket = {
    product_id: productId,
    decision_id: product.decision || null,
    quantity: 1,
    item: item(productId),
  };
  host.dispatchEvent(new CustomEvent("aisle:add-to-basket", { bubbles: true, composed: true, detail }));
  outcomes.add({ type: "added_to_basket", decisionId: detail.decision_id, productId });
  announce(`${WORDS.added}: ${detail.item?.name ?? productId}`);
  button.classList.add("done");
  const label = button.querySelector(".label");
  if (label) label.textContent = WORDS.added;
  setTimeout(() => {
    button.classList.remove("done");
    if (label) label.textContent = WORDS.add;
  }, DONE_MS);
}

function why(button: HTMLElement, { outcomes, announce }: ActionContext): void {
  const card = button.closest<HTMLElement>(".card");
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(open));
  card?.classList.toggle("explained", open);
  card?.querySelector(".basis")?.toggleAttribute("hidden", !open);
  if (!open) return;
  announce([".reason", ".basis"].map((part) => card?.querySelector(part)?.textContent ?? "").join(" "));
  outcomes.add({ type: "clicked", decisionId: card?.dataset.decision, productId: card?.dataset.product });
}

function more(button: HTMLElement): void {
  const hidden = button.parentElement?.querySelectorAll<HTMLElement>(".card[hidden]") ?? [];
  for (const one of hidden) one.hidden = false;
  hidden[0]?.querySelector<HTMLElement>(".add")?.focus();
  button.remove();
}

async function copy(button: HTMLElement, { announce }: ActionContext): Promise<void> {
  const done = await navigator.clipboard?.writeText(button.dataset.code ?? "").then(
    () => true,
    () => false,
  );
  if (!done) return;
  button.textContent = WORDS.copied;
  announce(WORDS.copied);
  setTimeout(() => {
    button.textContent = WORDS.copy;
  }, DONE_MS);
}

/** Run the action of the button that was pressed, if one was. */
export function act(event: Event, context: ActionContext): void {
  const button = (event.target as Element | null)?.closest<HTMLElement>("[data-action]");
  if (!button) return;
  const run: Readonly<Record<string, () => unknown>> = {
    add: () => add(button, context),
    why: () => why(button, context),
    more: () => more(button),
    copy: () => copy(button, context),
    reply: () => context.say(button.textContent ?? "", button.dataset.text ?? ""),
    retry: () => context.retry(),
  };
  run[button.dataset.action ?? ""]?.();
}

/** Tell the log which cards were truly seen: half of one, for half a second. */
export function watchViews(root: ParentNode, outcomes: OutcomeLog, watcher: Watcher): void {
  for (const one of root.querySelectorAll<HTMLElement>(".card:not([data-watched])")) {
    one.dataset.watched = "";
    watcher.observe(one, () =>
      outcomes.add({ type: "viewed", decisionId: one.dataset.decision, productId: one.dataset.product }),
    );
  }
}

/** Calls back once an element has been in sight. */
export class Watcher {
  private readonly waiting = new Map<
    Element,
    { seen: () => void; timer?: ReturnType<typeof setTimeout> | undefined }
  >();
  private readonly observer = new IntersectionObserver(
    (changes) => {
      for (const { target, isIntersecting } of changes) this.change(target, isIntersecting);
    },
    { threshold: 0.5 },
  );

  /** Wait for `element` to be seen. */
  observe(element: Element, seen: () => void): void {
    this.waiting.set(element, { seen });
    this.observer.observe(element);
  }

  private change(target: Element, visible: boolean): void {
    const entry = this.waiting.get(target);
    if (!entry) return;
    clearTimeout(entry.timer);
    if (visible) entry.timer = setTimeout(() => this.done(target), 500);
  }

  private done(target: Element): void {
    this.waiting.get(target)?.seen();
    this.waiting.delete(target);
    this.observer.unobserve(target);
  }
}

/** Remember the items of messages, so that a basket gets the whole item. */
export function indexItems(index: Map<string, ItemCard>, messages: readonly Message[]): void {
  for (const message of messages) {
    if (message.role !== "bot") continue;
    for (const item of message.items ?? []) index.set(item.product_id, item);
  }
}

/** Which cards were truly seen: half of one, for half a second. */
import type { OutcomeLog } from "../api/outcomes.ts";

/** Tell the log of cards in `root` that nobody watches yet. */
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

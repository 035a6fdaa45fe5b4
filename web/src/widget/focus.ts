/** Focus inside nested shadow roots: what has it, what can have it, and keeping it in. */

const FOCUSABLE = 'button:not([disabled]), a[href], input, [contenteditable="true"], [tabindex]:not([tabindex="-1"])';

/** The element that truly has the focus. */
export function deepActive(root: Document | ShadowRoot = document): Element | null {
  const active = root.activeElement;
  return active?.shadowRoot ? (deepActive(active.shadowRoot) ?? active) : active;
}

/** Everything that Tab reaches inside `root`, in order, through open shadow roots. */
export function focusables(root: ParentNode): HTMLElement[] {
  const found: HTMLElement[] = [];
  for (const element of root.querySelectorAll<HTMLElement>("*")) {
    if (element.closest("[hidden], [inert]")) continue;
    if (element.matches(FOCUSABLE)) found.push(element);
    if (element.shadowRoot) found.push(...focusables(element.shadowRoot));
  }
  return found;
}

/** On Tab at either end, go round instead of leaving `root`. */
export function keepInside(event: KeyboardEvent, root: ParentNode): void {
  if (event.key !== "Tab") return;
  const all = focusables(root);
  const edge = event.shiftKey ? all[0] : all.at(-1);
  if (deepActive() !== edge) return;
  event.preventDefault();
  (event.shiftKey ? all.at(-1) : all[0])?.focus();
}

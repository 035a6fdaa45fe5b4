/** A live region that loses nothing: what is said in quick succession is added, not replaced. */

const KEPT_MS = 15_000;

/** Says things to screen readers. */
export class Announcer {
  readonly element = document.createElement("div");

  constructor() {
    this.element.className = "unseen";
    this.element.setAttribute("role", "status");
    this.element.setAttribute("aria-live", "polite");
    this.element.setAttribute("aria-atomic", "false");
    this.element.dataset.testid = "chat-live";
  }

  /** Say `text` after what was said before. */
  say(text: string): void {
    if (!text) return;
    const line = document.createElement("p");
    line.textContent = text;
    this.element.append(line);
    setTimeout(() => line.remove(), KEPT_MS);
  }
}

/** Keeps a full-screen chat in what the on-screen keyboard and a pinch leave free. */

/** Follow the visual viewport with `panel` while `active` says so; returns a way to stop. */
export function keepInSight(panel: HTMLElement, active: () => boolean): () => void {
  const view = window.visualViewport;
  if (!view) return () => undefined;
  const place = (): void => {
    // Zoomed in, the shopper moves the page themselves.
    const keyboard = active() && view.scale < 1.1 && innerHeight - view.height > 60;
    panel.style.setProperty("--aisle-view", keyboard ? `${view.height}px` : "100%");
    panel.style.setProperty("--aisle-view-top", keyboard ? `${view.offsetTop}px` : "0px");
  };
  place();
  view.addEventListener("resize", place);
  view.addEventListener("scroll", place);
  return () => {
    view.removeEventListener("resize", place);
    view.removeEventListener("scroll", place);
  };
}

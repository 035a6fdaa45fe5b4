import { expect, it, vi } from "vitest";
import { keepInSight } from "../src/widget/viewport.ts";

/** A visual viewport that a keyboard can shrink. */
function fakeView(): EventTarget & { height: number; offsetTop: number; scale: number } {
  const view = Object.assign(new EventTarget(), { height: innerHeight, offsetTop: 0, scale: 1 });
  vi.stubGlobal("visualViewport", view);
  return view;
}

it("a full-screen chat stays above the on-screen keyboard, and gives the place back", () => {
  const view = fakeView();
  const panel = document.createElement("dialog");
  const stop = keepInSight(panel, () => true);
  Object.assign(view, { height: innerHeight - 300, offsetTop: 40 });
  view.dispatchEvent(new Event("resize"));
  expect(panel.style.getPropertyValue("--aisle-view")).toBe(`${innerHeight - 300}px`);
  expect(panel.style.getPropertyValue("--aisle-view-top")).toBe("40px");
  view.scale = 2;
  view.dispatchEvent(new Event("scroll"));
  expect(panel.style.getPropertyValue("--aisle-view")).toBe("100%");
  stop();
  view.scale = 1;
  view.dispatchEvent(new Event("resize"));
  expect(panel.style.getPropertyValue("--aisle-view")).toBe("100%");
});

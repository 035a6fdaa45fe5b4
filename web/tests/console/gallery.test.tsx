/** Decisions in the gallery: what was rejected or retired has a way back, what approves a family says so, and every page and language can be looked at. */
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import type { Variant } from "../../src/console/creatives/decide.ts";
import { Decisions, Views } from "../../src/console/creatives/gallery.tsx";
import { LanguageProvider } from "../../src/console/language.tsx";

afterEach(cleanup);

const variant = (state: string): Variant =>
  ({ variant_id: "v1", family: "arc/lora/paper", state }) as unknown as Variant;

function shown(state: string) {
  const decide = vi.fn();
  render(
    <LanguageProvider>
      <Decisions variant={variant(state)} decide={decide} busy={false} />
    </LanguageProvider>,
  );
  return decide;
}

test.each(["rejected", "retired"])("what is %s is approved again", (state) => {
  const decide = shown(state);
  fireEvent.click(screen.getByRole("button", { name: "Approve again: v1" }));
  expect(decide).toHaveBeenCalledWith("v1", "approved", false);
});

test("the button that approves a family says that it approves", () => {
  const decide = shown("proposed");
  const button = screen.getByRole("button", { name: "Approve whole family: arc/lora/paper" });
  expect(button.textContent).toBe("Approve whole family");
  fireEvent.click(button);
  expect(decide).toHaveBeenCalledWith("arc/lora/paper", "approved", true);
});

test("a kiosk's page and Arabic words are a choice away, and what the plain words are for is told", () => {
  render(
    <LanguageProvider>
      <Views view={{ aspect: "1:1", language: "en" }} change={vi.fn()} />
    </LanguageProvider>,
  );
  expect(screen.getByText(/the product's name stands alone/)).toBeTruthy();
  expect(screen.getByRole("button", { name: /Shown as/ }).textContent).toContain("Card in the chat");
  expect(screen.getByRole("button", { name: /Words in/ }).textContent).toContain("English");
});

/** Products are looked for within a form: Enter looks, and sends nothing. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { ProductSearch } from "../../src/console/campaigns/product-search.tsx";
import { idOf } from "../../src/console/creatives/start.tsx";

afterEach(cleanup);

test("Enter in the search box does not send the form around it", async () => {
  const sent = vi.fn((event: Event) => event.preventDefault());
  vi.stubGlobal("fetch", async () => Response.json({ products: [] }));
  render(
    <QueryClientProvider client={new QueryClient()}>
      <form ref={(form) => form?.addEventListener("submit", sent)}>
        <ProductSearch label="Product" take={() => undefined} />
        <button type="submit">Save</button>
      </form>
    </QueryClientProvider>,
  );
  await userEvent.type(screen.getByLabelText("Product"), "milk{Enter}");
  expect(sent).not.toHaveBeenCalled();
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
  expect(sent).toHaveBeenCalledOnce();
});

test("a product's name makes an id that the api takes, however long it is", () => {
  expect(idOf("7-Grain Bread, Crème")).toBe("p-7-grain-bread-cre-me");
  expect(idOf("حليب")).toBe("");
  for (let letters = 1; letters < 80; letters += 1)
    expect(idOf(`${"a".repeat(letters)} ${"b".repeat(80)}`)).toMatch(/^[a-z][a-z0-9-]{0,61}[a-z0-9]$/);
});

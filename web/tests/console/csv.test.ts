/** Money in a saved table is what people count: major units, with the currency said. */
import { expect, test, vi } from "vitest";
import { csvOf } from "../../src/console/kit/csv.ts";

vi.stubGlobal("fetch", () => Promise.reject(new Error("nothing is asked")));
const { savedOf } = await import("../../src/console/kit/data-table.tsx");

const row = { name: "Spring", minor: -1250, unit: "money" };
const name = { key: "name", title: "Name", value: (one: typeof row) => one.name };
const value = { key: "spent", title: "Spent", value: (one: typeof row) => one.minor };
const saved = (money: string | ((one: typeof row) => string | undefined), rows = [row]): string =>
  csvOf(...savedOf([name, { ...value, money }], rows, "Currency"));

test("a column of money is saved in major units and names its currency", () => {
  expect(saved("EUR")).toBe("Name,Spent (EUR)\r\nSpring,-12.5\r\n");
  expect(saved("JPY")).toBe("Name,Spent (JPY)\r\nSpring,-1250\r\n");
  expect(saved("KWD")).toBe("Name,Spent (KWD)\r\nSpring,-1.25\r\n");
});

test("where only some rows are money, each line says its currency", () => {
  const rows = [row, { name: "Orders", minor: 3, unit: "count" }];
  const text = saved((one) => (one.unit === "money" ? "EUR" : undefined), rows);
  expect(text).toBe("Name,Spent,Currency\r\nSpring,-12.5,EUR\r\nOrders,3,\r\n");
});

import { describe, expect, it } from "vitest";
import { Watching } from "../src/widget/behaviour.ts";

/** What is told of acts that happen at these milliseconds. */
function watched(): { watching: Watching; told: string[]; at: (ms: number) => Watching } {
  const told: string[] = [];
  let now = 0;
  const watching = new Watching(
    (kind) => told.push(kind),
    () => now,
  );
  const at = (ms: number): Watching => {
    now = ms;
    return watching;
  };
  return { watching, told, at };
}

describe("what a shopper does beside writing", () => {
  it("is pressing the same thing again and again, and not pressing five things", () => {
    const { told, at } = watched();
    for (const n of [0, 1, 2, 3, 4]) at(n * 200).press(`button ${n}`);
    for (const n of [0, 1, 2, 3, 4]) at(2000 + n * 700).press("slowly");
    expect(told).toEqual([]);
    for (const n of [0, 1, 2, 3, 4]) at(9000 + n * 200).press("send");
    expect(told).toEqual(["rage_click"]);
  });

  it("is moving the messages hastily up and down, and not reading on", () => {
    const { told, at } = watched();
    for (let n = 0; n < 40; n++) at(n * 50).scroll(30);
    expect(told).toEqual([]);
    for (let n = 0; n < 6; n++) at(3000 + n * 200).scroll(n % 2 ? 30 : -30);
    expect(told).toEqual(["hurried_scroll"]);
  });

  it("is told once in a while, as its kind alone", () => {
    const { told, at } = watched();
    for (let n = 0; n < 50; n++) at(n * 100).press("send");
    expect(told).toEqual(["rage_click"]);
    at(6000).reopened();
    at(7000).reopened();
    at(40_000).reopened();
    expect(told).toEqual(["rage_click", "reopened_chat", "reopened_chat"]);
  });
});

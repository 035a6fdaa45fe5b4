import { describe, expect, it } from "vitest";
import { OutcomeLog } from "../src/api/outcomes.ts";
import { type Call, fakeApi, session } from "./help.ts";

describe("outcomes", () => {
  it("name their decision, and a card is seen once", async () => {
    const calls = fakeApi(() => ({ body: { token: "t", visitor_id: "v" } }));
    const log = new OutcomeLog(session());
    for (let time = 0; time < 3; time++) log.add({ type: "viewed", decisionId: "d1", productId: "p1" });
    log.add({ type: "added_to_basket", decisionId: "d1", productId: "p1" });
    await log.flush();
    const { events } = (calls.at(-1) as Call).body as { events: Record<string, string>[] };
    expect(events.map((event) => [event.type, event.decision_id])).toEqual([
      ["viewed", "d1"],
      ["added_to_basket", "d1"],
    ]);
    expect(events[0]?.event_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]/);
  });

  it("wait, with the same ids, until the network is back", async () => {
    let down = true;
    const sent: string[][] = [];
    fakeApi(({ url, body }) => {
      if (url.includes("/token")) return { body: { token: "t", visitor_id: "v" } };
      if (down) return new TypeError("offline");
      sent.push((body as { events: { event_id: string }[] }).events.map((event) => event.event_id));
      return { body: {} };
    });
    const log = new OutcomeLog(session());
    log.add({ type: "clicked", decisionId: "d1", productId: "p1" });
    expect(await log.flush()).toBe(false);
    down = false;
    expect(await log.flush()).toBe(true);
    expect(sent).toHaveLength(1);
    expect(await log.flush()).toBe(true);
    expect(sent).toHaveLength(1);
  });
});

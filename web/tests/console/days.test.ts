import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { formats } from "../../src/console/language.tsx";

const zone = process.env.TZ;

describe("days", () => {
  beforeEach(() => {
    process.env.TZ = "America/Los_Angeles";
  });
  afterEach(() => {
    process.env.TZ = zone;
  });

  it("are written as they are counted, in UTC, and moments where they are read", () => {
    const { utcDay, day } = formats("en", "USD");
    expect(utcDay("2026-06-01")).toBe("1 Jun 2026");
    expect(utcDay("2026-06-14T23:59:59+00:00")).toBe("14 Jun 2026");
    expect(day("2026-06-01T00:30:00Z")).toBe("31 May 2026");
  });
});

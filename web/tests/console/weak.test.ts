import { describe, expect, it } from "vitest";
import { ApiError } from "../../src/api/http.ts";
import { weakness } from "../../src/console/shell/weak.ts";
import { SHELL_WORDS } from "../../src/console/shell/words.ts";

const refused = (code: string, reason?: string): ApiError =>
  new ApiError(422, {
    title: "Unprocessable",
    status: 422,
    detail: "As the server says.",
    code,
    ...(reason && { reason }),
  });

describe("a refused password", () => {
  it.each(["short", "long", "common", "owner"])("is told why in every language: %s", (reason) => {
    const told = Object.values(SHELL_WORDS).map((words) => weakness(refused("weak-password", reason), words.weak));
    expect(told).toHaveLength(2);
    expect(told.every(Boolean)).toBe(true);
    expect(new Set(told)).toHaveLength(2);
  });

  it("leaves what the page has no words for to the server's", () => {
    const { weak } = SHELL_WORDS.en;
    expect(weakness(refused("weak-password", "another"), weak)).toBeUndefined();
    expect(weakness(refused("other", "common"), weak)).toBeUndefined();
  });
});

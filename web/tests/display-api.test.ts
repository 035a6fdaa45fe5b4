import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiError } from "../src/api/http.ts";
import { Desk } from "../src/display/api.ts";

const asked: Request[] = [];

function answers(status: number, body: unknown, headers: Record<string, string> = {}) {
  vi.stubGlobal("fetch", async (request: Request) => {
    asked.push(request.clone());
    return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });
  });
}

beforeEach(() => {
  asked.length = 0;
  vi.stubGlobal("location", { origin: "http://aisle.test" });
});
afterEach(() => vi.unstubAllGlobals());

test("what was read is saved by its etag, with the marketer's key and name", async () => {
  const desk = new Desk("ak_1", "Mo");
  answers(200, { version: 3, values: { leaving: 1 } }, { etag: '"display-policy-3"' });
  expect((await desk.read()).version).toBe(3);
  answers(200, { version: 4 }, { etag: '"display-policy-4"' });
  await desk.save({ leaving: 2 }, "calmer");
  const [, saved] = asked;
  expect(saved?.method).toBe("PUT");
  expect(saved?.url).toBe("http://aisle.test/v1/display-policy");
  expect(saved?.headers.get("if-match")).toBe('"display-policy-3"');
  expect(saved?.headers.get("x-agent-name")).toBe("Mo");
  expect(saved?.headers.get("authorization")).toBe("Bearer ak_1");
  expect(await saved?.json()).toEqual({ values: { leaving: 2 }, note: "calmer" });
  await desk.restore(2);
  expect(asked[2]?.url).toBe("http://aisle.test/v1/display-policy/versions/2/restore");
  expect(asked[2]?.headers.get("if-match")).toBe('"display-policy-4"');
});

test("a refusal is thrown with its problem document", async () => {
  answers(412, { title: "Precondition Failed", status: 412, detail: "Somebody has saved.", code: "changed" });
  const refused = await new Desk("ak_1", "Mo").save({}, "").catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ApiError);
  expect((refused as ApiError).problem.code).toBe("changed");
});

/** Calls of the api with the types of its OpenAPI document; the session's cookie goes along by itself. */
import createClient, { type MaybeOptionalInit } from "openapi-fetch";
import type { HttpMethod, PathsWithMethod } from "openapi-typescript-helpers";
import type { paths } from "../api/generated.d.ts";
import { ApiError, NetworkError } from "../api/http.ts";
import type { Problem } from "../api/types.ts";
import { uuid7 } from "../lib/uuid.ts";

type Sent<P extends keyof paths, M extends HttpMethod> = MaybeOptionalInit<paths[P], M>;
type Responses<P extends keyof paths, M extends HttpMethod> = paths[P] extends { [K in M]: { responses: infer R } }
  ? R
  : never;
type Good<R> = {
  [S in keyof R & (200 | 201 | 202)]: R[S] extends { content: { "application/json": infer J } } ? J : never;
};
/** What the api answers to a request that succeeds. */
export type Answer<P extends keyof paths, M extends HttpMethod> = Good<Responses<P, M>>[keyof Good<Responses<P, M>>];

const SLOWEST_MS = 30_000;
const client = createClient<paths>({ baseUrl: location.origin, credentials: "same-origin" });
let signedOut = (): void => undefined;

/** Tell what to do when the api says that nobody is signed in any more. */
export function onSignedOut(then: () => void): void {
  signedOut = then;
}

/** What a write names so that it changes only what was seen: whoever was faster is not overwritten. */
export function onlyIf(etag: string): { readonly "if-match": string } {
  return { "if-match": etag };
}

type Loose = (
  method: string,
  path: string,
  init: object,
) => Promise<{ data?: unknown; error?: unknown; response: Response }>;

async function call(method: string, path: string, init: object | undefined): Promise<unknown> {
  let answered: { data?: unknown; error?: unknown; response: Response };
  try {
    answered = await (client.request as unknown as Loose)(method, path, {
      signal: AbortSignal.timeout(SLOWEST_MS),
      ...init,
    });
  } catch (cause) {
    throw new NetworkError("The server could not be reached.", { cause });
  }
  const { data, error, response } = answered;
  if (response.ok) return data;
  if (response.status === 401 && path !== "/v1/session") signedOut();
  const blank: Problem = { title: `The server answered ${response.status}.`, status: response.status };
  const told = typeof error === "object" && error !== null ? { ...blank, ...error } : blank;
  throw new ApiError(response.status, told, response.headers.get("etag") ?? undefined);
}

/** Read; throws ApiError with the problem document, or NetworkError. */
export function read<P extends PathsWithMethod<paths, "get">>(
  path: P,
  ...[init]: [Sent<P, "get">?]
): Promise<Answer<P, "get">> {
  return call("get", path as string, init as object | undefined) as Promise<Answer<P, "get">>;
}

type Paged = { next_cursor?: string | null } & Record<string, unknown[]>;

/** Read a list to its end, page by page; `list` names its entries. */
export async function readAll<P extends PathsWithMethod<paths, "get">>(
  path: P,
  list: keyof Answer<P, "get"> & string,
  init?: Sent<P, "get">,
): Promise<Answer<P, "get">> {
  const given = (init ?? {}) as { params?: { query?: object } };
  let page = (await read(path, ...([init] as [Sent<P, "get">?]))) as Paged;
  const every = { ...page };
  while (page.next_cursor) {
    const params = { ...given.params, query: { ...given.params?.query, cursor: page.next_cursor } };
    page = (await call("get", path as string, { ...given, params })) as Paged;
    every[list] = [...(every[list] ?? []), ...(page[list] ?? [])];
  }
  return every as Answer<P, "get">;
}

/** Read by what may stand in no address; nothing changes, so no key goes along, and no answer is kept. */
export function ask<P extends PathsWithMethod<paths, "post">>(
  path: P,
  ...[init]: [Sent<P, "post">?]
): Promise<Answer<P, "post">> {
  return call("post", path as string, init as object | undefined) as Promise<Answer<P, "post">>;
}

/** Change something. A key goes along, so that what is sent again by mistake happens once. */
export function send<M extends "post" | "put" | "patch" | "delete", P extends PathsWithMethod<paths, M>>(
  method: M,
  path: P,
  ...[init]: [Sent<P, M>?]
): Promise<Answer<P, M>> {
  const given = (init ?? {}) as { headers?: Record<string, string> };
  const headers = { "Idempotency-Key": uuid7(), ...given.headers };
  return call(method, path as string, { ...given, headers }) as Promise<Answer<P, M>>;
}

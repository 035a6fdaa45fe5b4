/** One way to speak HTTP: JSON in and out, a time limit, and errors that say whether trying again can help. */
import type { Problem } from "./types.ts";

/** The request never got an answer: no network, blocked, or too slow. */
export class NetworkError extends Error {
  override readonly name = "NetworkError";
}

/** The api answered with a problem document. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(
    readonly status: number,
    readonly problem: Problem,
    /** The tag that counts now, where somebody else was faster (412). */
    readonly etag?: string | undefined,
  ) {
    super(problem.detail ?? problem.title);
  }

  /** Whether the same request may work a little later. */
  get passing(): boolean {
    return this.status >= 500 || this.status === 429 || this.status === 408;
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const blank: Problem = { title: `The server answered ${response.status}.`, status: response.status };
  const body: unknown = await response.json().catch(() => null);
  if (typeof body !== "object" || body === null || !("title" in body)) return blank;
  return { ...blank, ...(body as Partial<Problem>) };
}

/** Fetch; an answer that is no success is thrown. */
export async function fetchOk(url: string | Request, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (cause) {
    throw new NetworkError("The server could not be reached.", { cause });
  }
  if (!response.ok) throw new ApiError(response.status, await problemOf(response));
  return response;
}

/** Fetch and read JSON (undefined for an empty answer). */
export async function fetchJson<T>(url: string, init: RequestInit = {}, limitMs = 10_000): Promise<T> {
  const response = await fetchOk(url, { ...init, signal: init.signal ?? AbortSignal.timeout(limitMs) });
  const text = await response.text();
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/** A request with a JSON body. */
export function jsonBody(method: "POST" | "PUT" | "PATCH", body: unknown): RequestInit {
  return { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

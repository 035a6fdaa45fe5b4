/**
 * The kiosk's service worker, for pages under /kiosk/ only: it gives the page, its scripts and fonts, and the pictures of
 * the posters that the page has kept, when the api does not answer. It keeps nothing else, and nothing personal.
 */
import { PLAYLIST } from "./playlist.ts";

declare const __SHELL__: readonly string[];
declare const __VERSION__: string;

interface Waiting extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Waiting {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
interface Scope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
}

const scope = self as unknown as Scope;
const SHELL_PREFIX = "aisle-kiosk-shell-";
const SHELL = `${SHELL_PREFIX}${__VERSION__}`;
const PATIENCE_MS = 4000;
const page = new URL("_", scope.registration.scope).href;

async function install(): Promise<void> {
  const cache = await caches.open(SHELL);
  await cache.addAll([page, ...__SHELL__].map((url) => new Request(url, { cache: "no-cache" })));
  await scope.skipWaiting();
}

async function activate(): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith(SHELL_PREFIX) && name !== SHELL) await caches.delete(name);
  }
  await scope.clients.claim();
}

/** The page from the api while that answers in time; else the kept one, whatever the kiosk's name and key. */
async function navigate(request: Request): Promise<Response> {
  try {
    const fresh = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (fresh.status < 500) return fresh;
  } catch {
    // away, or too slow
  }
  return (await caches.match(page, { cacheName: SHELL })) ?? Response.error();
}

const asset = async (request: Request): Promise<Response> =>
  (await caches.match(request, { cacheName: SHELL, ignoreVary: true })) ?? fetch(request);

/** A picture of a poster that is kept; any other one past the browser's own cache, so that it leaves no trace. */
const picture = async (request: Request): Promise<Response> =>
  (await caches.match(request.url, { cacheName: PLAYLIST, ignoreVary: true })) ??
  fetch(request.url, { cache: "no-store" });

self.addEventListener("install", (event) => (event as Waiting).waitUntil(install()));
self.addEventListener("activate", (event) => (event as Waiting).waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const { request, respondWith } = event as Fetching;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  const answer = respondWith.bind(event);
  if (request.mode === "navigate") answer(navigate(request));
  else if (pathname.startsWith("/assets/")) answer(asset(request));
  else if (request.destination === "image") answer(picture(request));
});

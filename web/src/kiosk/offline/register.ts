/** Putting the service worker in place, keeping it new, and taking it away again. */

const LOOK_AGAIN_MS = 3_600_000;

/** Register it; `onNew` is told when a newer one has taken over, whose page should be loaded at a quiet moment. */
export async function register(onNew: () => void): Promise<void> {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return; // no https: it works, but only while the api is there
  let controlled = serviceWorker.controller !== null;
  serviceWorker.addEventListener("controllerchange", () => {
    if (controlled) onNew();
    controlled = true;
  });
  try {
    const made = await serviceWorker.register("/kiosk/worker.js", { scope: "/kiosk/", updateViaCache: "none" });
    setInterval(() => void made.update().catch(() => undefined), LOOK_AGAIN_MS);
    await navigator.storage?.persist?.();
  } catch {
    // the page works without it while the api is there
  }
}

/** Take the worker and everything that it kept away: this kiosk is no longer one. */
export async function unregister(): Promise<void> {
  const found = await navigator.serviceWorker?.getRegistration("/kiosk/");
  await found?.unregister();
  if (typeof caches === "undefined") return;
  for (const name of await caches.keys()) if (name.startsWith("aisle-kiosk-")) await caches.delete(name);
}

/** Pages (kiosk, demo shop) and the chat's chunk, which the widget loads when someone opens it. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  base: "/",
  build: {
    target: "es2022",
    outDir: "dist",
    manifest: true,
    assetsInlineLimit: 0,
    // A page that embeds the chat has another origin, and preloading would look there.
    modulePreload: false,
    rolldownOptions: {
      input: {
        kiosk: here("kiosk.html"),
        shop: here("shop.html"),
        inbox: here("inbox.html"),
        display: here("display.html"),
        creatives: here("creatives.html"),
        panel: here("src/widget/panel.ts"),
      },
      preserveEntrySignatures: "exports-only",
    },
  },
});

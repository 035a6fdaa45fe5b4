/** Pages (kiosk, demo shop, console) and the chat's chunk, which the widget loads when someone opens it. */
import { fileURLToPath } from "node:url";
import optimizeLocales from "@react-aria/optimize-locales-plugin";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  base: "/",
  // The component library brings its own words in thirty languages; we speak two.
  plugins: [react(), { ...optimizeLocales.vite({ locales: ["en-US", "ar-AE"] }), enforce: "pre" }],
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
        console: here("console.html"),
        panel: here("src/widget/panel.ts"),
      },
      preserveEntrySignatures: "exports-only",
    },
  },
});

/** Pages (kiosk, demo shop) and the chat's chunk, which the widget loads when someone opens it. */
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** deep-chat knows a web font's address; nothing that we ship may. */
const noOutsideFont: Plugin = {
  name: "aisle:no-outside-font",
  transform(code, id) {
    if (!id.includes("/deep-chat/")) return null;
    return { code: code.replace(/https:\/\/fonts\.googleapis\.com[^"'`]*/g, ""), map: null };
  },
};

export default defineConfig({
  base: "/",
  plugins: [noOutsideFont],
  resolve: {
    // The same component without its ES5 transpilation, a third smaller.
    alias: [{ find: /^deep-chat$/, replacement: here("node_modules/deep-chat/dist/deepChat.bundle.js") }],
  },
  build: {
    target: "es2022",
    outDir: "dist",
    manifest: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: {
        kiosk: here("kiosk.html"),
        shop: here("shop.html"),
        inbox: here("inbox.html"),
        panel: here("src/widget/panel.ts"),
      },
      preserveEntrySignatures: "exports-only",
    },
  },
});

/** Builds everything into dist: tokens, pages and the chat's chunk, the one-tag widget, fonts, licences. Its manifest stays, for `aisle bench chat`. */
import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { writeTokens } from "./write-tokens.mjs";

const root = new URL("../", import.meta.url);
// Without it libraries are bundled in their development form.
process.env.NODE_ENV = "production";
const path = (name) => fileURLToPath(new URL(name, root));

async function copyFonts() {
  const from = "node_modules/@fontsource-variable/inter";
  await mkdir(path("dist/assets/fonts"), { recursive: true });
  for (const subset of ["latin", "latin-ext"]) {
    const file = `inter-${subset}-wght-normal.woff2`;
    await copyFile(path(`${from}/files/${file}`), path(`dist/assets/fonts/${file}`));
  }
  await copyFile(path(`${from}/LICENSE`), path("dist/assets/fonts/INTER-LICENSE.txt"));
  await copyFile(path("node_modules/lit/LICENSE"), path("dist/assets/LIT-LICENSE.txt"));
}

/** The page of /docs works without any other host. */
async function copyDocs() {
  const from = "node_modules/swagger-ui-dist";
  await mkdir(path("dist/assets/docs"), { recursive: true });
  for (const file of ["swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt", "swagger-ui.css", "LICENSE"])
    await copyFile(path(`${from}/${file}`), path(`dist/assets/docs/${file}`));
}

async function buildWidget() {
  const manifest = JSON.parse(await readFile(path("dist/.vite/manifest.json"), "utf8"));
  const panel = manifest["src/widget/panel.ts"].file;
  await build({
    root: path("."),
    configFile: false,
    logLevel: "warn",
    publicDir: false,
    define: { __PANEL_PATH__: JSON.stringify(`/${panel}`) },
    build: {
      target: "es2022",
      outDir: "dist",
      emptyOutDir: false,
      lib: { entry: path("src/widget/entry.ts"), name: "AisleWidget", formats: ["iife"], fileName: () => "widget.js" },
    },
  });
}

/** What the kiosk's page loads, now or in another language, as addresses. */
async function kioskShell() {
  const manifest = JSON.parse(await readFile(path("dist/.vite/manifest.json"), "utf8"));
  const files = new Set();
  const seen = new Set();
  const add = (name) => {
    if (seen.has(name)) return;
    seen.add(name);
    const { file, css = [], imports = [], dynamicImports = [] } = manifest[name];
    for (const one of [file, ...css]) if (one.startsWith("assets/")) files.add(`/${one}`);
    for (const one of [...imports, ...dynamicImports]) add(one);
  };
  add("kiosk.html");
  for (const name of await readdir(path("dist/assets/fonts")))
    if (name.endsWith(".woff2")) files.add(`/assets/fonts/${name}`);
  return [...files].sort();
}

async function buildKioskWorker() {
  const shell = await kioskShell();
  const version = createHash("sha256")
    .update(JSON.stringify(shell))
    .update(await readFile(path("dist/kiosk.html")))
    .digest("hex")
    .slice(0, 12);
  await build({
    root: path("."),
    configFile: false,
    logLevel: "warn",
    publicDir: false,
    define: { __SHELL__: JSON.stringify(shell), __VERSION__: JSON.stringify(version) },
    build: {
      target: "es2022",
      outDir: "dist",
      emptyOutDir: false,
      lib: {
        entry: path("src/kiosk/offline/worker.ts"),
        name: "AisleKioskWorker",
        formats: ["iife"],
        fileName: () => "kiosk-worker.js",
      },
    },
  });
}

/** Nothing that we ship may fetch a font, a style sheet or a script from elsewhere. */
async function refuseOutsideFonts() {
  for (const name of await readdir(path("dist/assets"))) {
    if (!name.endsWith(".js") && !name.endsWith(".css")) continue;
    const text = await readFile(path(`dist/assets/${name}`), "utf8");
    if (/fonts\.(googleapis|gstatic)\.com/.test(text)) throw new Error(`${name} links a web font from outside.`);
  }
}

try {
  await writeTokens();
  await build({ root: path("."), configFile: path("vite.config.ts"), logLevel: "warn" });
  await buildWidget();
  await copyFonts();
  await copyDocs();
  await buildKioskWorker();
  await refuseOutsideFonts();
  console.log("web/dist is ready.");
} catch (error) {
  console.error(error.message);
  process.exit(1);
}

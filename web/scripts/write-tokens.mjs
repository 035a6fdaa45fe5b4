/** Writes tokens.css from AISLE_BRAND_HUE (default 155), the same setting that the api reads. */
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const root = new URL("../", import.meta.url);

export async function writeTokens() {
  const hue = Number(process.env.AISLE_BRAND_HUE ?? 155);
  if (!Number.isFinite(hue)) throw new Error("AISLE_BRAND_HUE must be a number of degrees, for example 155.");
  const { module } = await runnerImport(fileURLToPath(new URL("scripts/tokens.ts", root)), { configFile: false });
  await writeFile(new URL("tokens.css", root), module.tokensCss(hue));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeTokens().catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
}

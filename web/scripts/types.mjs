// Makes src/api/generated.d.ts of the API's OpenAPI document, unless nothing of the API is newer.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const root = dirname(web);
const made = join(web, "src", "api", "generated.d.ts");

const sources = readdirSync(join(root, "api"), { recursive: true })
  .filter((name) => String(name).endsWith(".py"))
  .map((name) => statSync(join(root, "api", String(name))).mtimeMs);

function run(command, args, options) {
  const done = spawnSync(command, args, { stdio: "inherit", ...options });
  if (done.status !== 0) process.exit(done.status ?? 1);
}

if (!existsSync(made) || statSync(made).mtimeMs < Math.max(...sources)) {
  run(join(root, ".venv", "bin", "aisle"), ["openapi", join(root, "build", "openapi.json")], {
    cwd: root,
    env: { ...process.env, PYTHONPATH: root },
  });
  run("npm", ["run", "--silent", "types:only"], { cwd: web });
}

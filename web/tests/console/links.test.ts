/** Where the api says that a cause is, the console has a page, and the tab and the part that the link names. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { matchPath } from "react-router";
import { expect, test, vi } from "vitest";

vi.stubGlobal("fetch", () => Promise.reject(new Error("nothing is asked")));
const { COUNTS } = await import("../../src/console/told/figures.ar.ts");
const { LINKED, SECTIONS } = await import("../../src/console/sections.ts");
const { reaches, within } = await import("../../src/console/today/state.tsx");

const SERVICES = join(import.meta.dirname, "../../../api/services");
const CONSOLE = join(import.meta.dirname, "../../src/console");
const ROUTES = [
  ...SECTIONS.flatMap(({ id, pages }) => Object.keys(pages).map((path) => `/${id}/${path}`)),
  ...Object.keys(LINKED).map((path) => `/${path}`),
];
/** Every address of the console that the api's services write, an id standing for what is filled in. */
const LINKS = readdirSync(SERVICES)
  .filter((file) => file.endsWith(".py"))
  .flatMap((file) => [...readFileSync(join(SERVICES, file), "utf8").matchAll(/"(\/console\/[^"]*)"/g)])
  .map(([, link = ""]) => link.replaceAll(/\{[^}]*\}/g, "id"));

/** All that a section's files say. */
function written(section: string): string {
  const folder = join(CONSOLE, section);
  return readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), "utf8"))
    .join("\n");
}

/** What the console says that a number means, by the definition's name. */
const MEANT = readdirSync(CONSOLE, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".tsx"))
  .flatMap((file) => [...readFileSync(join(CONSOLE, file), "utf8").matchAll(/ (?:definition|at)="([a-z_]+)"/g)])
  .map(([, name = ""]) => name);
const DEFINED = readFileSync(join(import.meta.dirname, "../../../personalization/figures.py"), "utf8");

test.each([...new Set(MEANT)])("%s is defined, in Arabic too", (name) => {
  expect(DEFINED).toMatch(new RegExp(`(Figure|Meaning)\\("${name}"`));
  expect(COUNTS[name]).toBeTruthy();
});

test("the api leads to the console", () => {
  expect(LINKS).toContain("/console/trust?tab=models");
});

test.each(LINKS)("%s is there", (link) => {
  const { pathname, searchParams, hash } = new URL(link, "https://shop.example");
  const page = within(pathname);
  expect(ROUTES.filter((route) => matchPath(route, page))).not.toEqual([]);
  const section = page.split("/")[1] ?? "";
  const tab = searchParams.get("tab");
  if (tab) expect(written(section)).toContain(`id: "${tab}"`);
  if (hash) expect(written(section)).toContain(`id="${hash.slice(1)}"`);
});

test.each(LINKS)("nobody is led to %s whose role has not its section", (link) => {
  expect(reaches(link, () => false)).toBe(false);
});

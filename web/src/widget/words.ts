/** The interface's words, loaded when a language is first needed. */
import type { Language } from "./language.ts";
import type { Words } from "./words/en.ts";
import * as EN from "./words/en.ts";

/** One language. */
export interface Speech {
  readonly words: Words;
  /** What a reason is based on, by its code. */
  readonly basedOn: Readonly<Record<string, string>>;
}

type Module = { readonly WORDS: Words; readonly BASED_ON: Readonly<Record<string, string>> };

const LOADERS: Readonly<Record<Exclude<Language, "en">, () => Promise<Module>>> = {
  de: () => import("./words/de.ts"),
  es: () => import("./words/es.ts"),
  fr: () => import("./words/fr.ts"),
  ar: () => import("./words/ar.ts"),
};

/** The words of a language; English, which is always there, where they cannot be loaded. */
export async function loadWords(language: Language): Promise<Speech> {
  const module: Module = language === "en" ? EN : await LOADERS[language]().catch(() => EN);
  return { words: module.WORDS, basedOn: module.BASED_ON };
}

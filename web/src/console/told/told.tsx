/** What the api says, in the console's language: by its code and facts, else in the api's English, marked as such. */
import { type ReactNode, useCallback } from "react";
import { type Formats, useFormats, useLanguage } from "../language.tsx";
import { SENTENCES } from "./sentences.ar.ts";

/** A sentence as the api tells it for clients that word it themselves. */
export interface Told {
  readonly code: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Facts by name, in the type that a sentence needs them in; what is missing reads as nothing. */
export class Facts {
  constructor(
    private readonly given: Readonly<Record<string, unknown>>,
    readonly write: Formats,
  ) {}
  /** A name or an id; isolated, so that a Latin one does not turn the Arabic words around it. */
  name(key: string): string {
    return `\u2068${String(this.given[key] ?? "")}\u2069`;
  }
  number(key: string): number {
    return Number(this.given[key] ?? 0);
  }
  has(key: string): boolean {
    const value = this.given[key];
    return value !== null && value !== undefined && value !== "" && value !== false;
  }
  list(key: string): readonly string[] {
    const value = this.given[key];
    return Array.isArray(value) ? value.map(String) : [];
  }
  text(key: string): string {
    return String(this.given[key] ?? "");
  }
  count(key: string): string {
    return this.write.count(this.number(key));
  }
  share(key: string, digits = 0): string {
    return this.write.share(this.number(key), digits);
  }
  money(key: string): string {
    return this.write.money(this.number(key), this.has("currency") ? this.text("currency") : undefined);
  }
}

export type Sentence = (facts: Facts) => string;

/** Words a sentence in the chosen language; undefined where only the api's English has it. */
export function useWording(): (told: Told | null | undefined) => string | undefined {
  const { language } = useLanguage();
  const write = useFormats();
  return useCallback(
    (told) => (language === "ar" && told ? SENTENCES[told.code]?.(new Facts(told.facts, write)) : undefined),
    [language, write],
  );
}

/** Text that there is in English only, marked so for who reads aloud, and for the direction of writing. */
export function English({ children }: { readonly children: ReactNode }): ReactNode {
  const { language } = useLanguage();
  if (language === "en") return children;
  return (
    <bdi lang="en" dir="ltr">
      {children}
    </bdi>
  );
}

/** What the api says. */
export function Says({
  told,
  english,
}: {
  readonly told?: Told | null | undefined;
  readonly english: string;
}): ReactNode {
  const wording = useWording()(told);
  return wording ?? <English>{english}</English>;
}

/** The console's language, its direction, and numbers, money and times as it writes them. */
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { I18nProvider } from "react-aria-components";
import { places, units } from "./currency.ts";
import { useSession } from "./session.tsx";

export type Language = "en" | "ar";
export const LANGUAGES: readonly { readonly id: Language; readonly name: string }[] = [
  { id: "en", name: "English" },
  { id: "ar", name: "العربية" },
];
const KEPT = "aisle:console:language";
const LOCALES: Record<Language, string> = { en: "en-GB", ar: "ar-AE-u-nu-latn" };

interface Spoken {
  readonly language: Language;
  readonly speak: (language: Language) => void;
}
const Current = createContext<Spoken>({ language: "en", speak: () => undefined });

function first(): Language {
  const asked = new URL(location.href).searchParams.get("lang") ?? localStorage.getItem(KEPT) ?? navigator.language;
  return asked.startsWith("ar") ? "ar" : "en";
}

export function LanguageProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [language, setLanguage] = useState(first);
  useEffect(() => {
    document.documentElement.lang = language;
    document.documentElement.dir = language === "ar" ? "rtl" : "ltr";
  }, [language]);
  const value = useMemo<Spoken>(
    () => ({
      language,
      speak: (chosen) => {
        localStorage.setItem(KEPT, chosen);
        setLanguage(chosen);
      },
    }),
    [language],
  );
  return (
    <Current value={value}>
      <I18nProvider locale={LOCALES[language]}>{children}</I18nProvider>
    </Current>
  );
}

export const useLanguage = (): Spoken => useContext(Current);

/** The words of a page in the language that is chosen: `const WORDS = { en, ar }; const words = useWords(WORDS)`. */
export function useWords<W>(words: Readonly<Record<Language, W>>): W {
  return words[useLanguage().language];
}

export interface Formats {
  /** A count: 12,345. */
  readonly count: (value: number) => string;
  /** A number with a few digits after the point. */
  readonly number: (value: number, digits?: number) => string;
  /** A share of one: 0.123 as 12.3 %. */
  readonly share: (value: number, digits?: number) => string;
  /** Minor units of a currency. */
  readonly money: (minor: number, currency?: string) => string;
  /** The shop's currency, which money is in where none is named. */
  readonly currency: string;
  /** With a sign, for changes. */
  readonly signed: (value: number, write?: (value: number) => string) => string;
  /** The day on which a moment falls for who reads. */
  readonly day: (at: string | Date) => string;
  /** A day of UTC, as figures are counted by and campaigns run: it is the same one wherever it is read. */
  readonly utcDay: (at: string | Date) => string;
  readonly time: (at: string | Date) => string;
  /** How long ago, in the largest unit that fits. */
  readonly ago: (at: string | Date, now?: Date) => string;
}

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

/** The formats of a language; money is in the shop's currency where none is named. */
export function formats(language: Language, currency: string): Formats {
  const locale = LOCALES[language];
  const made = new Map<string, Intl.NumberFormat>();
  const write = (value: number, options: Intl.NumberFormatOptions): string => {
    const key = JSON.stringify(options);
    const format = made.get(key) ?? new Intl.NumberFormat(locale, options);
    made.set(key, format);
    return format.format(value);
  };
  const number = (value: number, digits = 1): string => write(value, { maximumFractionDigits: digits });
  // With the month's name: 2026/11/27, as Arabic has it shortest, is read backwards between Latin words.
  const named = { day: "numeric", month: "short", year: "numeric" } as const;
  const day = new Intl.DateTimeFormat(locale, named);
  const utcDay = new Intl.DateTimeFormat(locale, { ...named, timeZone: "UTC" });
  const time = new Intl.DateTimeFormat(locale, { ...named, hour: "2-digit", minute: "2-digit" });
  const since = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" });
  return {
    number,
    currency,
    count: (value) => write(value, { maximumFractionDigits: 0 }),
    share: (value, digits = 1) => write(value, { style: "percent", maximumFractionDigits: digits }),
    money: (minor, named = currency) => {
      const digits = places(named);
      return write(minor / units(named), {
        style: "currency",
        currency: named,
        currencyDisplay: "narrowSymbol",
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      });
    },
    signed: (value, as = number) => `${value > 0 ? "+" : value < 0 ? "−" : "±"}${as(Math.abs(value))}`,
    day: (at) => day.format(new Date(at)),
    utcDay: (at) => utcDay.format(new Date(at)),
    time: (at) => time.format(new Date(at)),
    ago: (at, now = new Date()) => {
      const seconds = (new Date(at).getTime() - now.getTime()) / 1000;
      const [unit, length] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
      return since.format(Math.round(seconds / length), unit);
    },
  };
}

export function useFormats(): Formats {
  const { language } = useLanguage();
  const { session } = useSession();
  const currency = session?.currency ?? "USD";
  return useMemo(() => formats(language, currency), [language, currency]);
}

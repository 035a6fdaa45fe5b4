/** What trained segments are called in Arabic: their names are put together from a few words, and now and then a category. */
import { useCallback } from "react";
import { useLanguage } from "../language.tsx";

const PARTS: Readonly<Record<string, string>> = {
  Rare: "نادرون",
  Regular: "منتظمون",
  Frequent: "متكررون",
  "small baskets": "سلال صغيرة",
  "middling baskets": "سلال متوسطة",
  "big baskets": "سلال كبيرة",
  "full price": "بالسعر الكامل",
  "promotion seekers": "يبحثون عن العروض",
};
const NUMBERED = /^(.*?)( \(\d+\))?$/u;

/** A trained segment's name in Arabic; a name that somebody gave stays as it is. */
export function segmentInArabic(name: string): string {
  const [, words = name, number = ""] = NUMBERED.exec(name) ?? [];
  const parts = words.split(", ");
  if (!(parts[0] && parts[0] in PARTS && parts[1] && parts[1] in PARTS)) return name;
  return `${parts.map((part) => PARTS[part] ?? `\u2068${part}\u2069`).join("، ")}${number}`;
}

/** Names segments in the chosen language. */
export function useSegmentNames(): (name: string) => string {
  const { language } = useLanguage();
  return useCallback((name) => (language === "ar" ? segmentInArabic(name) : name), [language]);
}

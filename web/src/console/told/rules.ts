/** Rules of segments in the console's language: of own ones from their conditions, of trained ones from their bounds. */
import { useCallback } from "react";
import { type Formats, useFormats, useLanguage } from "../language.tsx";
import type { Condition, Rule, Segment } from "../segments/rule.ts";
import { FEATURES } from "./features.ar.ts";

type Bounds = NonNullable<Segment["bounds"]>;

const HOWS: Readonly<Record<string, string>> = {
  at_least: "لا تقل عن",
  at_most: "لا تزيد على",
  above: "أكثر من",
  below: "أقل من",
};
const AMOUNTS = /^(spent|basket_value)/;
const SHARES = /(_share|discount_rate|coupon_rate)$/;
const isolated = (text: string): string => `\u2068${text}\u2069`;

function value(name: string, number: number, write: Formats): string {
  if (AMOUNTS.test(name)) return write.money(number);
  return SHARES.test(name) ? write.share(number, 0) : write.number(number, 2);
}

function condition(one: Condition, write: Formats, segments: ReadonlyMap<string, string>): string {
  const not = one.how === "is_not" ? "ليسوا " : "";
  if (one.kind === "segment")
    return `${not}في الشريحة ${isolated(segments.get(String(one.value)) ?? String(one.value))}`;
  if (one.kind === "label") {
    const said = one.value === null || one.value === true ? "" : `: ${isolated(String(one.value))}`;
    return `${not}موسومون بـ${isolated(one.name.replaceAll("_", " "))}${said}`;
  }
  return `${FEATURES[one.name] ?? isolated(one.name)} ${HOWS[one.how] ?? ""} ${value(one.name, Number(one.value), write)}`;
}

/** An own segment's rule in Arabic. */
export function inArabic(rule: Rule, write: Formats, segments: ReadonlyMap<string, string> = new Map()): string {
  const said = rule.conditions.map((one) => condition(one, write, segments));
  return `${said.join(rule.match === "all" ? " و" : " أو ")}.`;
}

/** A trained segment's bounds and likings in Arabic. */
export function boundsInArabic(bounds: Bounds | null, liked: readonly string[], write: Formats): string {
  const parts = Object.entries(bounds ?? {}).flatMap(([name, [least = null, most = null]]) => {
    const named = FEATURES[name] ?? isolated(name);
    const [low, high] = [least, most].map((one, place) => {
      if (one === null) return "";
      // Orders are whole: of a cut at 5.5 the least is 6 and the most is 5.
      return value(name, name === "orders" ? (place === 0 ? Math.ceil(one) : Math.floor(one)) : one, write);
    });
    if (low && high) return [`${named} من ${low} إلى ${high}`];
    if (low) return [`${named} لا تقل عن ${low}`];
    return high ? [`${named} لا تزيد على ${high}`] : [];
  });
  const rule = bounds === null ? "بين الشرائح الأخرى" : parts.join("، ") || "الجميع";
  const more = liked.length > 0 ? ` ينفقون أكثر من غيرهم على: ${liked.map(isolated).join("، ")}.` : "";
  return `${rule}.${more}`;
}

/** Words a segment's rule in the chosen language; undefined where only the api's English has it. */
export function useRules(): (segment: Segment, segments?: readonly Segment[]) => string | undefined {
  const { language } = useLanguage();
  const write = useFormats();
  return useCallback(
    (segment, segments = []) => {
      if (language !== "ar") return undefined;
      if (segment.rule)
        return inArabic(
          segment.rule as unknown as Rule,
          write,
          new Map(segments.map(({ segment_id, name }) => [segment_id, name])),
        );
      return segment.bounds ? boundsInArabic(segment.bounds, segment.liked ?? [], write) : undefined;
    },
    [language, write],
  );
}

/** What a feature is called in the chosen language. */
export function useFeatures(): (feature: { readonly name: string; readonly title: string }) => string {
  const { language } = useLanguage();
  return useCallback(({ name, title }) => (language === "ar" ? (FEATURES[name] ?? title) : title), [language]);
}

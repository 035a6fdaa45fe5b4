/** What an audit found, in Arabic, from the figures of its findings. */
import { useCallback } from "react";
import type { Answer } from "../client.ts";
import { type Formats, useFormats, useLanguage } from "../language.tsx";

type Report = NonNullable<Answer<"/v1/trust/fairness", "get">["report"]>;
export type Finding = Report["findings"][number];

const DIGITS = 3;

function inArabic(finding: Finding, write: Formats, measures: Readonly<Record<string, string>>): string {
  const of = `${measures[finding.measure] ?? finding.measure} حسب \u2068${finding.attribute}\u2069`;
  const judged = finding.groups.filter((group) => group.judged && group.off !== null);
  const [first] = judged;
  if (finding.within === null || judged.length < 2 || !first) return `${of}: أعلن مجموعةً عدد أقل من أن يُحكم عليه.`;
  const relative = finding.how === "relative";
  const plain = (value: number): string => (relative ? write.share(value) : write.number(value, DIGITS));
  const signed = (value: number | null): string => write.signed(value ?? 0, plain);
  const worst = judged.reduce((a, b) => (Math.abs(b.off ?? 0) > Math.abs(a.off ?? 0) ? b : a), first);
  const bound = `±${plain(finding.within)}`;
  const said: Readonly<Record<string, string>> = {
    beyond: `وهذا يتجاوز الحد ${bound}`,
    within: `وهذا ضمن ${bound} لكل المجموعات`,
    unclear: `ولا يمكن تمييزه عن الحد ${bound} بهذا العدد القليل من القرارات`,
  };
  const turned = finding.reversed_in_segments.map((name) => `\u2068${name}\u2069`).join("، ");
  return `${of}: الأبعد عن الجميع \u2068${worst.group}\u2069 بمقدار ${signed(worst.off)} (95 %: من ${signed(worst.low)} إلى ${signed(worst.high)})، ${
    said[finding.verdict] ?? ""
  }.${turned ? ` وداخل الشرائح ينقلب الفرق عند: ${turned}.` : ""}`;
}

function summed(report: Report, write: Formats): string {
  const { findings } = report;
  const count = (verdict: string): string =>
    write.count(findings.filter((finding) => finding.verdict === verdict).length);
  if (findings.length === 0) return "لم يمكن فحص شيء: لم يعلن أي عضو مجموعة، أو لم يُسجَّل شيء.";
  const turned = findings.filter((finding) => finding.reversed_in_segments.length > 0).length;
  const more = turned
    ? ` وينقلب ${write.count(turned)} منها داخل الشرائح (مفارقة سيمبسون): انظر إليها قبل أن تتصرف.`
    : "";
  return `${count("beyond")} من ${write.count(findings.length)} مقارنة تتجاوز حدها، و${count("within")} ضمنه، و${count("unclear")} لا يمكن تمييزها عنه بعد.${more}`;
}

interface Fair {
  readonly finding: (finding: Finding) => string | undefined;
  readonly summary: (report: Report) => string | undefined;
}

/** Words findings in the chosen language; undefined where only the api's English has them. */
export function useFair(measures: Readonly<Record<string, string>>): Fair {
  const { language } = useLanguage();
  const write = useFormats();
  const finding = useCallback<Fair["finding"]>(
    (one) => (language === "ar" ? inArabic(one, write, measures) : undefined),
    [language, write, measures],
  );
  return { finding, summary: (report) => (language === "ar" ? summed(report, write) : undefined) };
}

/** The Arabic for what the api says, by the codes of its sentences. */
import type { Facts, Sentence } from "./told.tsx";

const METRICS: Readonly<Record<string, string>> = {
  conversion: "نسبة من يطلبون",
  spend: "الإنفاق للشخص",
  orders: "الطلبات للشخص",
  retention: "نسبة من يطلبون مجددًا في النصف الثاني من المدة",
  discount: "الخصومات الممنوحة للشخص",
  engagement: "المنتجات المفتوحة أو الموضوعة في السلة للشخص",
  handoffs: "المحادثات المحوّلة إلى موظف، للشخص",
};
const MODELS: Readonly<Record<string, string>> = {
  segments: "الشرائح",
  ranking: "الترتيب",
  churn: "المغادرة",
  "expected spend": "الإنفاق المتوقع",
  coupons: "القسائم",
  all: "الكل",
};
const VERDICTS: Readonly<Record<string, string>> = {
  "too few units": "عدد الأشخاص قليل جدًا",
  "sample ratio mismatch": "أحجام المجموعات تخالف الخطة",
  "guardrail broken": "حدّ أمان مكسور",
  "not yet at its planned size": "لم تبلغ الحجم المخطط",
  "no difference found yet": "لم يُعثر على فرق بعد",
};
const SHARES = new Set(["conversion", "retention"]);
const MINOR = new Set(["spend", "discount"]);
const SMALL = 3;

/** A change of a metric: percentage points, an amount, or a number. */
function amount(facts: Facts, key: string): string {
  const metric = facts.text("metric");
  const value = facts.number(key);
  if (SHARES.has(metric))
    return `${facts.write.signed(value * 100, (points) => facts.write.number(points, 2))} نقطة مئوية`;
  if (MINOR.has(metric)) return facts.write.signed(value, (minor) => facts.write.money(minor));
  return facts.write.signed(value, (number) => facts.write.number(number, SMALL));
}
const by = (facts: Facts): string =>
  amount(facts, "difference") +
  (facts.has("relative")
    ? ` (${facts.write.signed(facts.number("relative"), (share) => facts.write.share(share))})`
    : "");
const metric = (facts: Facts, name = facts.text("metric")): string => METRICS[name] ?? name;
const interval = (facts: Facts): string =>
  `من ${amount(facts, "low")} إلى ${amount(facts, "high")}، مجال 95 %${facts.has("at_every_look") ? " يصحّ عند كل نظرة" : ""}`;
const judged = (facts: Facts): string => {
  const said = VERDICTS[facts.text("verdict")];
  return said ? ` والحكم ما زال: ${said}.` : "";
};
const small = (facts: Facts): string =>
  facts.number("too_small") ? ` وكانت ${facts.count("too_small")} أصغر من أن تُفحص.` : "";
const moved = (facts: Facts): string => (facts.has("feature") ? ` أكثر ما تغيّر: ${facts.name("feature")}.` : "");
const left = (facts: Facts): string =>
  `ما زال يمكن منح ${facts.money("available_minor")} من ${facts.money("total_minor")}.`;
const paced =
  (words: string): Sentence =>
  (facts) =>
    `أُنفق ${facts.money("spent_minor")}، ${words} ${facts.money("planned_minor")}. ${left(facts)}`;
const assumed =
  (why: string): Sentence =>
  (facts) =>
    `${why}: افتُرضت ${facts.count("weekly")} زيارة في الأسبوع لأشخاص لا يُعرف عنهم شيء.`;

export const SENTENCES: Readonly<Record<string, Sentence>> = {
  "experiment.nobody_yet": (f) => `لا يمكن قول شيء بعد: لم تمضِ لأحد ${f.count("days")} يومًا منذ أول تعرّض له.`,
  "experiment.lopsided": (f) =>
    `لا تُستخدم هذه النتيجة: أحجام المجموعات تخالف الحصص المخططة (p = ${f.number("p").toPrecision(2)}). اعرف من ينقص قبل أن تبدأ من جديد.`,
  "experiment.alarm": (f) =>
    `أحجام المجموعات تخالف الحصص المخططة (p = ${f.number("p").toPrecision(2)}): يضيع أحد في الطريق إلى إحداها. أوقف التجربة واعرف من ينقص وابدأ من جديد؛ لا تُستخدم أي نتيجة منها.`,
  "experiment.planned": (f) =>
    `خُطّط أن تُقرأ عند ${f.count("planned")} شخص ولديها ${f.count("seen")}؛ وقبل ذلك قد تكون الفروق صدفة، والتصرف مبكرًا يزيد الإنذارات الكاذبة على 5 %.`,
  "experiment.arms_together": (f) =>
    `تُقارن ${f.count("arms")} مجموعات بالضابطة: المجالات والأحكام هي ما يصحّ لها جميعًا معًا بنسبة 95 %.`,
  "experiment.read_once": (f) =>
    `تُقرأ عند حجمها المخطط: يُحسب أول ${f.count("planned")} شخص بترتيب تعرّضهم؛ و${f.count("later")} جاؤوا بعدهم لا يغيّرون شيئًا.`,
  "experiment.sequential": () => "الاختبار متتابع: النظر إليه الآن ولاحقًا لا يفسده.",
  "experiment.too_few": (f) =>
    `لا يمكن قول شيء عن «${f.name("arm")}» بعد: في المجموعة الأصغر ${f.count("least")} شخص، ويلزم ${f.count("needed")} في كل مجموعة.`,
  "experiment.unsure": (f) =>
    `لم يُعثر على فرق في ${metric(f)} بين «${f.name("arm")}» و«${f.name("control")}»: قد يكون ${interval(f)}. وهذا ليس دليلًا على أنه لا فرق.`,
  "experiment.effect": (f) =>
    `مع «${f.name("arm")}» ${f.number("difference") > 0 ? "ارتفع" : "انخفض"} مقياس «${metric(f)}» بمقدار ${by(f)} مقابل «${f.name("control")}» (${interval(f)}): ${f.has("better") ? "تحسّن" : "خسارة"}.${judged(f)}`,
  "experiment.guardrail_broken": (f) =>
    `يكسر «${f.name("arm")}» حدّ أمان: تغيّر مقياس «${metric(f)}» بمقدار ${by(f)}، وهذا يتجاوز يقينًا ${f.share("tolerated")} المسموح بها. لا تعمّمه.`,
  "experiment.guardrails_kept": (f) =>
    `لم يُكسر أي حدّ أمان يقينًا (${f
      .list("metrics")
      .map((name) => metric(f, name))
      .join("، ")})؛ وهذا ليس دليلًا على أن شيئًا لم يسؤ.`,
  "experiment.cuped": (f) => `أخذُ ما فعله الناس من قبل في الحسبان (CUPED) أزال ${f.share("saved")} من التشويش.`,
  "experiment.size": (f) =>
    `${f.count("units")} شخص في المجموع يُظهرون تغيّرًا${f.has("relative") ? ` قدره ${f.share("relative", 1)}` : ""} في ${f.share("power")} من التجارب التي فيها تغيّر. ${
      f.has("exposed")
        ? `يُلتقى بهم في نحو ${f.count("exposed")} يومًا، وبعد ${f.count("window")} أخرى، في اليوم ${f.count("days")}، يمكن الحكم على آخرهم.`
        : "بحركة الأسابيع الأربعة الأخيرة لا يُبلغ هذا العدد أبدًا: ابحث عن تغيّر أكبر أو أشرك عددًا أكبر."
    }`,
  "breakdown.lopsided": () => "أحجام المجموعات تخالف الحصص المخططة: لا يُستخدم شيء مما يلي.",
  "breakdown.planned": (f) =>
    `خُطّط أن تُقرأ عند ${f.count("planned")} شخص وحُكم على ${f.count("seen")}: لا شيء مما يلي اكتشاف بعد.`,
  "breakdown.too_small": (f) => `لا شريحة فيها ${f.count("needed")} شخصًا في كل مجموعة بعد، فلا شيء يُفحص.`,
  "breakdown.none_differs": (f) =>
    `بعد التصحيح لعدد ${f.count("looks")} من النظرات (${f.name("correction")}) لا تختلف أي شريحة يقينًا عن ضابطتها؛ وما يبرز أدناه قد يكون صدفة.${small(f)}`,
  "breakdown.differ": (f) =>
    `بعد التصحيح لعدد ${f.count("looks")} من النظرات (${f.name("correction")}) تختلف هذه: ${f.list("found").join("، ")}.${small(f)} خذها خيطًا يُختبر من جديد، لا برهانًا.`,
  "campaign.not_launched": () => "لم تُطلق بعد.",
  "campaign.no_holdout": () => "ليس لها مجموعة ضابطة، فلا أحد يعرف ما كان سيحدث من دونها.",
  "pacing.not_launched": () => "لم تُطلق بعد: لم يُنفق شيء.",
  "pacing.paused": (f) => `هي موقوفة: لا تُمنح قسائم، وما مُنح يبقى صالحًا. ${left(f)}`,
  "pacing.ended": (f) => `انتهت وأُنفق ${f.money("spent_minor")} من ${f.money("total_minor")}.`,
  "pacing.ahead": paced("أكثر من المخطط حتى الآن وهو"),
  "pacing.behind": paced("أقل من المخطط حتى الآن وهو"),
  "pacing.close": paced("قريبًا من المخطط حتى الآن وهو"),
  "simulation.none_worth": () =>
    "لن تُمنح أي قسيمة: لا يضيف أيٌّ من هذه الخصومات إلى الهدف أكثر مما يكلّف. اختر خصومات أصغر أو هدفًا آخر.",
  "simulation.nobody": () => "لن تُمنح أي قسيمة: لا يأتي أحد من الجمهور، أو الخصومات كبيرة على ما تشمله.",
  "simulation.expected": (f) =>
    `ستُمنح نحو ${f.count("coupons")} قسيمة بكلفة ${f.money("spend_minor")} (من ${f.money("low_minor")} إلى ${f.money("high_minor")}) من ${f.money("budget_minor")}. وسيرتفع شراء ما تشمله القسائم بنسبة ${f.share("lift", 1)} (من ${f.share("lift_low", 1)} إلى ${f.share("lift_high", 1)}) عند من يمكن أن ينالوا واحدة.`,
  "simulation.priors": () =>
    "استُخدمت تقديرات مسبقة: ليس لهذا المتجر قرارات قسائم يُتعلَّم منها بعد، فأُخذت استجابة المتسوقين من أبحاث منشورة. ولهذا المجالات واسعة.",
  "simulation.no_channel_caps": () => "الحدود حسب القناة ليست جزءًا من المحاكاة.",
  "simulation.nothing_covered": () => "لا تشمل الحملة أي منتج يُباع: اختر منتجات أو فئات أخرى.",
  "simulation.no_members": assumed("لا أعضاء بعد"),
  "simulation.no_marketing": assumed("لا أحد في الجمهور يوافق على التسويق"),
  "simulation.no_visits": assumed("لم يشترِ أحد من الجمهور شيئًا في الأسابيع الأربعة الأخيرة"),
  "simulation.fairness": (f) =>
    `من دون حدّ تبتعد المجموعات حتى ${f.share("apart", 1)} فيما يُمنح لها؛ وإبقاؤها ضمن ${f.share("kept", 1)} يكلّف ${f.share("lost", 1)} مما تجلبه الحملة.`,
  "simulation.replayed": (f) =>
    `أُعيدت زيارات ${f.count("chosen")} من ${f.count("of")} عضو في ${f.count("weeks")} أسابيع حتى ${f.name("until")}.`,
  "alert.budget": (f) => `أوشكت ميزانية ${f.name("name")} أن تنفد.`,
  "alert.fast": (f) => `تنفق ${f.name("name")} أسرع بكثير من المخطط.`,
  "alert.slow": (f) => `تنفق ${f.name("name")} أبطأ بكثير من المخطط.`,
  "alert.spent": (f) => `أُنفق ${f.share("spent")} ومضى ${f.share("elapsed")} من وقتها.`,
  "alert.model_changed": (f) => `لم يعد نموذج «${MODELS[f.text("name")] ?? f.name("name")}» ملائمًا.`,
  "alert.model_broken": (f) => `نموذج «${MODELS[f.text("name")] ?? f.name("name")}» لا يعمل.`,
  "alert.fallback": (f) => `المكوّن ${f.name("component")} لا يجيب بنفسه.`,
  "alert.fallback_times": (f) => `${f.count("count")} مرة في الساعة الأخيرة: أجاب ${f.name("used")}.`,
  "alert.lopsided": (f) => `مجموعات ${f.name("experiment")} ليست بالحجم المخطط.`,
  "alert.exposed": (f) =>
    `من تعرّضوا: ${f
      .list("sizes")
      .map((size) => `\u2068${size}\u2069`)
      .join("، ")} (p = ${f.number("p").toPrecision(1)}).`,
  "alert.rating": () => "يقيّم المتسوقون المساعدة تقييمًا أسوأ.",
  "alert.ratings": (f) =>
    `${f.write.number(f.number("now"))} من 5 في آخر 7 أيام، و${f.write.number(f.number("before"))} في الأسابيع الأربعة قبلها.`,
  "alert.undelivered": () => "لم يستلم نظام آخر ما أُخبر به.",
  "alert.given_up": (f) => `تُخلّي عن ${f.count("count")} عملية تسليم في آخر 24 ساعة.`,
  "model.untrained": () => "لم يُدرَّب شيء: تجيب المنتجات المفضلة في المتجر. شغّل الأمر `aisle train`.",
  "model.unknown": () => "لم يُقَس بعد: يقيسه العامل كل بضع ساعات.",
  "model.steady": () => "الأعضاء مثل من دُرّب عليهم.",
  "model.shifted": (f) => `تغيّر الأعضاء منذ التدريب؛ راقب ذلك.${moved(f)}`,
  "model.changed": (f) => `لم يعد الأعضاء كمن دُرّب عليهم: درّب من جديد (\`aisle train\`).${moved(f)}`,
  "model.fallback": (f) => `يجيب بديله: ${f.name("cause")}.`,
  "model.too_little": () => "كان التاريخ أقل من أن يُدرَّب عليه.",
  "model.used": () => "قيد الاستخدام.",
};

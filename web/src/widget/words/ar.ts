/** Arabic. */
import type { Words } from "./en.ts";

type Forms = { readonly one: string; readonly two: string; readonly few: string; readonly other: string };

const rules = new Intl.PluralRules("ar");

/** "3 منتجات", "منتجان": the noun in the form that its number asks for. */
function counted(count: number, { one, two, few, other }: Forms): string {
  const form = rules.select(count);
  if (form === "one") return one;
  if (form === "two") return two;
  return `${count} ${form === "few" ? few : other}`;
}

const PRODUCTS: Forms = { one: "منتج واحد", two: "منتجان", few: "منتجات", other: "منتجًا" };
const MINUTES: Forms = { one: "دقيقة", two: "دقيقتان", few: "دقائق", other: "دقيقة" };

export const WORDS: Words = {
  title: "مساعد التسوق",
  subtitle: "مساعد ذكاء اصطناعي. قد يخطئ.",
  close: "إغلاق الدردشة",
  menu: "المزيد",
  placeholder: "اسأل عن المنتجات أو العروض",
  placeholderPerson: "اكتب رسالة",
  send: "إرسال الرسالة",
  log: "المحادثة",
  typing: "المساعد يكتب.",
  typingPerson: (name) => `${name} يكتب الآن.`,
  you: "أنت",
  assistant: "المساعد",
  person: "فريق المتجر",
  newMessages: "رسالة جديدة",

  add: "أضف",
  added: "أُضيف",
  addLabel: (name) => `أضف ${name} إلى السلة`,
  addFailed: "تعذّرت الإضافة إلى السلة. يرجى المحاولة مرة أخرى.",
  why: "لماذا هذا؟",
  was: "السعر المعتاد",
  more: (count) => `عرض ${count} أخرى`,
  items: (count) => `${counted(count, PRODUCTS)}.`,
  couponTitle: "قسيمتك",
  couponOff: (amount, name) => `خصم ${amount} على ${name}`,
  couponUntil: (date) => `صالحة حتى ${date}`,
  copy: "نسخ الرمز",
  copied: "تم النسخ",
  qr: (code) => `رمز QR للقسيمة ${code}`,
  quickReplies: "إجابات مقترحة",
  basket: "السلة",
  total: "المجموع",
  order: (number) => `الطلب ${number}`,
  details: "تفاصيل أخرى",

  sending: "جارٍ الإرسال",
  waiting: "بانتظار الاتصال",
  delivered: "تم التسليم",
  read: "قُرئت",
  notSent: "لم تُرسل.",
  retry: "حاول مرة أخرى",
  discard: "تجاهل",
  offline: "أنت غير متصل. ما تكتبه محفوظ وسيُرسل بالترتيب عند عودة الاتصال.",
  unreachable: "لا يمكننا الوصول إلى المتجر الآن. ما تكتبه محفوظ وسيُرسل في أقرب وقت.",
  busy: "تصل رسائل كثيرة الآن. رسالتك التالية بعد لحظة.",
  notOpen: "لا يمكننا الوصول إلى المتجر الآن.",
  notOpenKept: "ما كتبته من قبل محفوظ. نواصل المحاولة.",

  attach: "أرفق صورة أو ملفًا",
  attachRemove: (name) => `إزالة ${name}`,
  attachTooLarge: (limit) => `هذا الملف كبير جدًا. الحد الأقصى ${limit}.`,
  attachType: "يمكن إرسال الصور (JPEG وPNG وWebP) وملفات PDF.",
  attachment: (name) => `ملف: ${name}`,
  picture: (name) => `صورة: ${name}`,
  attachmentUnshown: "تعذر تحميل الملف.",

  speak: "تحدث",
  speakStop: "إيقاف الاستماع",
  speakNotice: "يحوّل متصفحك كلامك إلى نص. ترسل بعض المتصفحات الصوت إلى الشركة المطوّرة لذلك.",
  speakGo: "تحدث الآن",
  speakFailed: "لم يُفهم شيء. يمكنك الكتابة أيضًا.",
  speakDenied: "الميكروفون غير مسموح به هنا. يمكنك الكتابة أيضًا.",
  listening: "جارٍ الاستماع",
  readAloud: "قراءة الإجابات بصوت عالٍ",

  language: "اللغة",
  forget: "انسَ هذه المحادثة",
  forgetAsk: "هل تريد نسيان هذه المحادثة؟",
  forgetText: "تُحذف جميع الرسائل نهائيًا، هنا ولدى المتجر. لا يمكن التراجع عن ذلك.",
  forgetYes: "حذف نهائي",
  forgetNo: "الاحتفاظ بها",
  forgotten: "حُذفت هذه المحادثة، هنا ولدى المتجر.",
  forgetFailed: "تعذر الوصول إلى المتجر، ولم يُحذف شيء بعد. حاول مرة أخرى.",
  startAgain: "ابدأ محادثة جديدة",

  queued: "أنت بانتظار شخص من الفريق.",
  position: (place) => (place <= 1 ? "أنت التالي." : `رقمك في الانتظار ${place}.`),
  expected: (minutes) => `الانتظار المتوقع: ${minutes < 1 ? "أقل من دقيقة" : counted(minutes, MINUTES)}.`,
  queuedKeep: "يمكنك متابعة الكتابة؛ سيُقرأ كل شيء.",
  joined: (name) => `أنت تتحدث مع ${name}.`,
  subtitlePerson: "من فريق المتجر",
  returned: "عاد المساعد. اطلب شخصًا في أي وقت.",
  closed: "لا أحد هنا الآن. اترك رسالة وسنعود إليك.",
  leaveText: "رسالتك",
  leaveContact: "بريد إلكتروني أو هاتف للرد",
  leaveSend: "ترك رسالة",
  leaveSent: "شكرًا. وصلت رسالتك إلى الفريق.",
  leaveMissing: "اكتب رسالة وكيف يمكننا الوصول إليك.",

  rate: "كيف كانت هذه المحادثة؟",
  rateScale: (score) => ["سيئة جدًا", "سيئة", "مقبولة", "جيدة", "جيدة جدًا"][score - 1] ?? "",
  rateComment: "ما الذي يمكننا تحسينه؟ (اختياري)",
  rateSend: "إرسال التقييم",
  rateSkip: "ليس الآن",
  rated: "شكرًا، هذا يساعدنا.",
};

const BOUGHT = "بناءً على ما اشتريته هنا من قبل.";
const HERE = "بناءً على المتجر الذي أنت فيه.";

export const BASED_ON: Readonly<Record<string, string>> = {
  due_again: BOUGHT,
  repeat_purchase: BOUGHT,
  bought_before: BOUGHT,
  similar_taste: "بناءً على ما يشتريه أصحاب السلال المشابهة.",
  your_kind: BOUGHT,
  goes_with: BOUGHT,
  popular: "بناءً على ما تشتريه جميع الأسر.",
  popular_here: HERE,
  promoted: HERE,
  matches_query: "بناءً على الكلمات التي كتبتها.",
};

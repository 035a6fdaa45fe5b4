/** Which language the interface speaks, and the few words that are needed before the chat is opened. */

/** Languages that the interface has. */
export const LANGUAGES = { en: "English", de: "Deutsch", es: "Español", fr: "Français", ar: "العربية" } as const;
export type Language = keyof typeof LANGUAGES;

/** What the launcher says. */
export interface LauncherWords {
  readonly open: string;
  readonly close: string;
  readonly unread: (count: number) => string;
  readonly dismiss: string;
  readonly notLoaded: string;
}

/** The launcher's words, by language. */
export const LAUNCHER: Readonly<Record<Language, LauncherWords>> = {
  en: {
    open: "Chat with the shop assistant",
    close: "Close the chat",
    unread: (count) => (count === 1 ? "1 new message" : `${count} new messages`),
    dismiss: "Dismiss",
    notLoaded: "The chat could not load. Check the connection, then press again.",
  },
  de: {
    open: "Mit der Einkaufsberatung chatten",
    close: "Chat schließen",
    unread: (count) => (count === 1 ? "1 neue Nachricht" : `${count} neue Nachrichten`),
    dismiss: "Ausblenden",
    notLoaded: "Der Chat konnte nicht geladen werden. Prüfen Sie die Verbindung und drücken Sie noch einmal.",
  },
  es: {
    open: "Chatear con el asistente de compras",
    close: "Cerrar el chat",
    unread: (count) => (count === 1 ? "1 mensaje nuevo" : `${count} mensajes nuevos`),
    dismiss: "Ocultar",
    notLoaded: "No se pudo cargar el chat. Compruebe la conexión y pulse de nuevo.",
  },
  fr: {
    open: "Discuter avec le conseil d'achat",
    close: "Fermer le chat",
    unread: (count) => (count === 1 ? "1 nouveau message" : `${count} nouveaux messages`),
    dismiss: "Masquer",
    notLoaded: "Le chat n'a pas pu être chargé. Vérifiez la connexion, puis appuyez de nouveau.",
  },
  ar: {
    open: "الدردشة مع مساعد التسوق",
    close: "إغلاق الدردشة",
    unread: (count) => `رسائل جديدة: ${count}`,
    dismiss: "إخفاء",
    notLoaded: "تعذر تحميل الدردشة. تحقق من الاتصال ثم اضغط مرة أخرى.",
  },
};

/** The first wish that the interface can speak; English otherwise. "de-AT" is "de". */
export function pickLanguage(wishes: readonly (string | null | undefined)[]): Language {
  for (const wish of wishes) {
    const base = wish?.toLowerCase().split("-")[0] ?? "";
    if (Object.hasOwn(LANGUAGES, base)) return base as Language;
  }
  return "en";
}

/** Which way a language is written. */
export const directionOf = (language: Language): "rtl" | "ltr" => (language === "ar" ? "rtl" : "ltr");

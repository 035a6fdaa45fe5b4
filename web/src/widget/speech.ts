/** Speaking instead of typing, and answers read aloud: the browser's own means, and nothing where it has none. */

interface Recognition extends EventTarget {
  lang: string;
  interimResults: boolean;
  onresult: ((event: { results: ArrayLike<ArrayLike<{ transcript: string }>> }) => void) | null;
  onerror: ((event: { error: string }) => void) | null;
  onend: (() => void) | null;
  start(): void;
  abort(): void;
  stop(): void;
}
type Maker = new () => Recognition;

const maker = (): Maker | undefined => {
  const names = window as unknown as { SpeechRecognition?: Maker; webkitSpeechRecognition?: Maker };
  return names.SpeechRecognition ?? names.webkitSpeechRecognition;
};

/** Whether this browser can listen. */
export const canListen = (): boolean => maker() !== undefined;

/** Whether this browser can read aloud. */
export const canSpeak = (): boolean => typeof speechSynthesis !== "undefined";

/** How listening ends. */
export interface Heard {
  readonly text: string;
  readonly error: "" | "nothing" | "denied";
}

/** Listen to one utterance; `onText` gets what is understood so far. Returns a way to stop. */
export function listen(language: string, onText: (text: string) => void, onEnd: (heard: Heard) => void): () => void {
  const Made = maker();
  if (!Made) {
    onEnd({ text: "", error: "nothing" });
    return () => undefined;
  }
  const ear = new Made();
  let text = "";
  let error: Heard["error"] = "";
  ear.lang = language;
  ear.interimResults = true;
  ear.onresult = ({ results }) => {
    text = Array.from(results, (one) => one[0]?.transcript ?? "").join("");
    onText(text);
  };
  ear.onerror = (event) => {
    error = ["not-allowed", "service-not-allowed", "audio-capture"].includes(event.error) ? "denied" : "nothing";
  };
  ear.onend = () => onEnd({ text, error: error || (text ? "" : "nothing") });
  ear.start();
  return () => ear.stop();
}

/** Read a text aloud after what is being read. */
export function readOut(text: string, language: string): void {
  if (!canSpeak() || !text) return;
  const utterance = new SpeechSynthesisUtterance(text);
  utterance.lang = language;
  speechSynthesis.speak(utterance);
}

/** Be quiet. */
export function hush(): void {
  if (canSpeak()) speechSynthesis.cancel();
}

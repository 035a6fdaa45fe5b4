/** Icons as templates. */
import { html, type TemplateResult } from "lit";

export const PATHS = {
  send: "M12 19V5M6 11l6-6 6 6",
  check: "m5 12.5 4.5 4.5L19 7.5",
  read: "m2.5 13 4 4 8-9M11 16l1 1 9-9.5",
  clock: "M12 7v5l3 2M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z",
  plus: "M12 5v14M5 12h14",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  close: "M6 6l12 12M18 6 6 18",
  attach: "M20 11.5 12.3 19a5 5 0 0 1-7-7l8-8a3.4 3.4 0 0 1 4.8 4.8l-8 8a1.7 1.7 0 0 1-2.4-2.4l7.2-7.2",
  mic: "M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3",
  down: "M12 5v14M6 13l6 6 6-6",
  file: "M7 3h7l5 5v13H7zM14 3v5h5",
  alert: "M12 8v5M12 16.5h.01M12 3 2.5 20h19z",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5a7.5 7.5 0 0 1 15 0",
} as const;

const drawn = (data: string, width: number): TemplateResult =>
  html`<svg viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" stroke-width=${width}
    stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false"><path d=${data}></path></svg>`;

/** An icon by name. */
export const glyph = (name: keyof typeof PATHS): TemplateResult => drawn(PATHS[name], name === "more" ? 3 : 2);

/** A face from 1 (very bad) to 5 (very good). */
export function face(score: number): TemplateResult {
  const bend = (score - 3) * 2;
  return drawn(`M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9 9.5h.01M15 9.5h.01M8 ${15 - bend / 2}q4 ${bend} 8 0`, 1.75);
}

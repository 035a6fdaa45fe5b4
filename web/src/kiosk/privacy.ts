/** The privacy state: always in the same place, in words, and one tap from the camera's switch. */
import { html, nothing, type TemplateResult } from "lit";
import type { Privacy } from "../api/types.ts";
import { WORDS } from "./words.ts";

interface Bar {
  readonly retailer: string;
  readonly privacy: Privacy | undefined;
  readonly camera: boolean;
  readonly onOpen: () => void;
}

/** What is true now, in few words; the whole sentence is one tap away. */
export function privacyText(privacy: Privacy | undefined, camera: boolean): string {
  if (privacy?.recognised) return WORDS.recognised;
  return camera || privacy?.camera ? WORDS.cameraOnNobody : WORDS.cameraOff;
}

/** The line at the top. */
export function topBar({ retailer, privacy, camera, onOpen }: Bar): TemplateResult {
  const on = camera || (privacy?.camera ?? false) || (privacy?.recognised ?? false);
  return html`<header class="bar">
    <p class="retailer">${retailer}</p>
    <button type="button" class="privacy" data-testid="privacy-state" data-camera=${on ? "on" : "off"}
      data-recognised=${privacy?.recognised ? "yes" : "no"} aria-haspopup="dialog" @click=${onOpen}>
      <i class="lamp ${on ? "on" : ""}" aria-hidden="true"></i><span>${privacyText(privacy, camera)}</span>
    </button>
  </header>`;
}

/** What the camera does, and its switch. */
export function cameraSheet(
  on: boolean,
  text: string,
  trouble: string,
  onSwitch: (on: boolean) => void,
  onClose: () => void,
): TemplateResult {
  return html`<div class="veil" @click=${onClose}></div>
    <section class="sheet" role="dialog" aria-modal="true" aria-label=${on ? WORDS.cameraOn : WORDS.cameraOff}>
      <p data-testid="privacy-text">${text} ${WORDS.cameraAbout}</p>${trouble ? html`<p class="trouble" role="alert">${trouble}</p>` : nothing}
      <button type="button" class="answer" data-testid="camera-toggle" @click=${() => onSwitch(!on)}>
        ${on ? WORDS.cameraStop : WORDS.cameraStart}</button>
      <button type="button" class="answer" data-testid="camera-close" @click=${onClose}>${WORDS.close}</button>
    </section>`;
}

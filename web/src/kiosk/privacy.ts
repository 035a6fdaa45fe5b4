/** The privacy state: always in the same place, in words, and one tap from the camera's switch. */
import { html, nothing, type TemplateResult } from "lit";
import type { DisplayState, Privacy } from "../api/types.ts";
import { shortName, WORDS } from "./words.ts";

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

/** A sheet over the screen: words, answers, and a way out. */
function sheet(title: string, body: TemplateResult, answers: TemplateResult, onClose: () => void): TemplateResult {
  return html`<div class="veil" @click=${onClose}></div>
    <section class="sheet" role="dialog" aria-modal="true" aria-label=${title}>
      <h2>${title}</h2>${body}${answers}
      <button type="button" class="answer" data-testid="sheet-close" @click=${onClose}>${WORDS.close}</button>
    </section>`;
}

/** Why each item is here, from the facts of the decision; nothing that others should not read. */
export function whySheet(state: DisplayState, onClose: () => void): TemplateResult {
  const about = state.privacy.recognised ? WORDS.whyRecognised : WORDS.whyNobody;
  const reasons = state.items.map(
    (item) => html`<li><strong><bdi>${shortName(item.name)}</bdi></strong> <bdi>${item.reason}</bdi></li>`,
  );
  const body = html`<p data-testid="why-text">${about}</p><ul class="whys">${reasons}</ul>`;
  return sheet(WORDS.whyTitle, body, html``, onClose);
}

/** Ask before the face is forgotten; tell when it is. */
export function forgetSheet(said: string, onYes: () => void, onClose: () => void): TemplateResult {
  const body = html`<p data-testid="forget-text" role="status">${said || WORDS.forgetText}</p>`;
  const yes = html`<button type="button" class="answer" data-testid="forget-yes" @click=${onYes}>${WORDS.forgetYes}</button>`;
  return sheet(WORDS.forgetTitle, body, said === WORDS.forgotten ? html`` : yes, onClose);
}

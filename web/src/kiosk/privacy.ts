/** The privacy state: always in the same place, in words, and one tap from the camera's switch. */
import { html, nothing, svg, type TemplateResult } from "lit";
import type { DisplayState, Privacy } from "../api/types.ts";
import { LANGUAGES, type Language } from "../widget/language.ts";
import { language, reasonOf, shortName, WORDS } from "./words.ts";

interface Bar {
  readonly retailer: string;
  readonly privacy: Privacy | undefined;
  readonly camera: boolean;
  readonly onOpen: () => void;
  readonly onLanguage: () => void;
}

/** What is true now, in few words; the whole sentence is one tap away. */
export function privacyText(privacy: Privacy | undefined, camera: boolean): string {
  if (privacy?.recognised) return WORDS.recognised;
  if (!camera && !privacy?.camera) return WORDS.cameraOff;
  return privacy?.expression ? WORDS.cameraOnReads : WORDS.cameraOnNobody;
}

/** What becomes of expressions, where they may be read: of strangers, and of members who agreed to it. */
function expressionText(privacy: Privacy | undefined): string {
  if (!privacy?.expression) return "";
  return privacy.recognised ? WORDS.expressionMember : WORDS.expressionNobody;
}

/** What made the screen what it is now, besides who is there; nothing that tells others how somebody seemed. */
function whyMode({ mode, privacy }: DisplayState): string {
  if (mode === "inspire") return privacy.expression ? WORDS.whyInspireReads : WORDS.whyInspire;
  if (mode !== "calm" && mode !== "help") return "";
  return privacy.expression ? WORDS.whyCalmReads : WORDS.whyCalm;
}

const globe = svg`<svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" fill="none" stroke="currentColor"
  stroke-width="1.8"><circle cx="12" cy="12" r="9"/><path d="M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18"/></svg>`;

/** The line at the top. */
export function topBar({ retailer, privacy, camera, onOpen, onLanguage }: Bar): TemplateResult {
  const on = camera || (privacy?.camera ?? false) || (privacy?.recognised ?? false);
  return html`<header class="bar">
    <p class="retailer">${retailer}</p>
    <button type="button" class="tongue" data-testid="kiosk-language" data-sheet="language" aria-haspopup="dialog"
      aria-label="${WORDS.language}: ${LANGUAGES[language]}" @click=${onLanguage}>${globe}<span aria-hidden="true">${LANGUAGES[language]}</span></button>
    <button type="button" class="privacy" data-testid="privacy-state" data-camera=${on ? "on" : "off"}
      data-recognised=${privacy?.recognised ? "yes" : "no"} aria-haspopup="dialog" @click=${onOpen}>
      <i class="lamp ${on ? "on" : ""}" aria-hidden="true"></i><span>${privacyText(privacy, camera)}</span>
    </button>
  </header>`;
}

/** Every language by its own name. */
export function languageSheet(onChoose: (code: Language) => void, onClose: () => void): TemplateResult {
  const choices = (Object.entries(LANGUAGES) as [Language, string][]).map(
    ([code, name]) => html`<button type="button" class="answer" lang=${code} data-testid="language-${code}"
      aria-pressed=${code === language ? "true" : "false"} @click=${() => onChoose(code)}>${name}</button>`,
  );
  return sheet(WORDS.language, html`<div class="tongues">${choices}</div>`, html``, onClose);
}

/** What the camera does, and its switch. `notice`: what hangs at the entrance, in the shop's own words. */
export function cameraSheet(
  { on, wanted }: { readonly on: boolean; readonly wanted: boolean },
  privacy: Privacy | undefined,
  notice: string,
  trouble: string,
  onSwitch: (on: boolean) => void,
  onClose: () => void,
): TemplateResult {
  const elsewhere = !on && !wanted && privacy?.camera === true; // a camera of its own looks: this page cannot switch it
  return html`<div class="veil" @click=${onClose}></div>
    <section class="sheet" role="dialog" aria-modal="true" aria-label=${on || elsewhere ? WORDS.cameraOn : WORDS.cameraOff}>
      <h2>${privacyText(privacy, on)}</h2>
      <p data-testid="privacy-text">${privacy?.recognised ? WORDS.cameraRights : WORDS.cameraAbout}</p>
      ${expressionText(privacy) ? html`<p data-testid="privacy-expression">${expressionText(privacy)}</p>` : nothing}
      ${notice ? html`<h3>${WORDS.noticeTitle}</h3><p class="posted" dir="auto" data-testid="privacy-notice">${notice}</p>` : nothing}
      ${trouble ? html`<p class="trouble" role="alert">${trouble}</p>` : nothing}
      ${
        elsewhere
          ? nothing
          : html`<button type="button" class="answer" data-testid="camera-toggle" @click=${() => onSwitch(!wanted)}>
        ${wanted ? WORDS.cameraStop : WORDS.cameraStart}</button>`
      }
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
  const { recognised } = state.privacy;
  const popular = state.mode === "attract" || state.mode === "inspire";
  const about = recognised ? WORDS.whyRecognised : popular ? WORDS.whyNobody : WORDS.whyNobodyHere;
  const reasons = state.items.map(
    (item) => html`<li><strong><bdi>${shortName(item.name)}</bdi></strong> <bdi>${reasonOf(item)}</bdi></li>`,
  );
  const more = [whyMode(state), expressionText(state.privacy)].filter(Boolean).join(" ");
  const body = html`<p data-testid="why-text">${about}</p>
    ${more ? html`<p data-testid="why-mode">${more}</p>` : nothing}<ul class="whys">${reasons}</ul>`;
  return sheet(WORDS.whyTitle, body, html``, onClose);
}

/** What cannot be done while the api is away. */
export const awaySheet = (onClose: () => void): TemplateResult =>
  sheet(WORDS.awayTitle, html`<p data-testid="away-text" role="status">${WORDS.awayText}</p>`, html``, onClose);

/** Ask before the face is forgotten; tell when it is. `done`: there is nothing more to ask; `shared`: it counts for everybody who is greeted. */
export function forgetSheet(
  said: string,
  done: boolean,
  shared: boolean,
  onYes: () => void,
  onClose: () => void,
): TemplateResult {
  const asks = shared ? WORDS.forgetAll : WORDS.forgetText;
  const body = html`<p data-testid="forget-text" role="status">${said || asks}</p>`;
  const yes = html`<button type="button" class="answer" data-testid="forget-yes" @click=${onYes}>${WORDS.forgetYes}</button>`;
  return sheet(WORDS.forgetTitle, body, done ? html`` : yes, onClose);
}

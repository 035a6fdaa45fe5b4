/** The screens of the enrolment flow. Buttons sit in the lower half, within reach from a wheelchair. */
import { html, nothing, type TemplateResult } from "lit";
import type { Notice } from "../api/types.ts";
import { CODE_LENGTH, type Enrolment, type Happening, SHOTS } from "./enrolment.ts";
import { WORDS } from "./words.ts";

/** Tells the flow what happened. */
export type Tell = (happening: Happening) => void;

const head = (title: string, text: string): TemplateResult => html`<div class="lead">
  <h1 class="headline" data-testid="kiosk-headline" tabindex="-1"><bdi>${title}</bdi></h1>
  ${text ? html`<p class="subline" data-testid="kiosk-subline"><bdi>${text}</bdi></p>` : nothing}</div>`;

const frame = (step: string, top: TemplateResult, bottom: TemplateResult): TemplateResult =>
  html`<main class="screen enrol at-${step}" data-step=${step} data-testid="enrol-${step}">${top}<div class="reach">${bottom}</div></main>`;

/** Two answers of the same weight: same size, same colour, same effort. */
function yesNo(name: string, yes: () => void, no: () => void): TemplateResult {
  return html`<div class="answers">
    <button type="button" class="answer" data-testid="${name}-yes" @click=${yes}>${WORDS.yes}</button>
    <button type="button" class="answer" data-testid="${name}-no" @click=${no}>${WORDS.no}</button></div>`;
}

const leave = (tell: Tell): TemplateResult =>
  html`<button type="button" class="quiet" data-testid="enrol-leave" @click=${() => tell({ what: "leave" })}>${WORDS.leave}</button>`;

function keypad(flow: Enrolment, tell: Tell): TemplateResult {
  const key = (digit: string): TemplateResult =>
    html`<button type="button" class="key" data-testid="keypad-${digit}" @click=${() => tell({ what: "digit", digit })}>${digit}</button>`;
  const boxes = Array.from(
    { length: CODE_LENGTH },
    (_, index) => html`<i class=${index === flow.code.length ? "at" : ""}>${flow.code[index] ?? ""}</i>`,
  );
  return html`<div class="digits" role="status" data-testid="keypad-digits" aria-label=${WORDS.codeLabel(flow.code.length)}>${boxes}</div>
    <div class="keypad" dir="ltr">${["1", "2", "3", "4", "5", "6", "7", "8", "9"].map(key)}
      <button type="button" class="key" data-testid="keypad-erase" aria-label=${WORDS.erase} @click=${() => tell({ what: "erase" })}>⌫</button>
      ${key("0")}
      <button type="button" class="key next" data-testid="keypad-next" ?disabled=${flow.code.length < CODE_LENGTH}
        @click=${() => tell({ what: "next" })}>${WORDS.next}</button></div>
    ${leave(tell)}`;
}

function capture(flow: Enrolment, video: HTMLVideoElement, tell: Tell): TemplateResult {
  const prompt = (flow.countdown > 0 ? undefined : WORDS.prompts[flow.shots]) ?? WORDS.prompts[0] ?? "";
  const dots = Array.from({ length: SHOTS }, (_, index) => html`<i class=${index < flow.shots ? "on" : ""}></i>`);
  return frame(
    "capture",
    html`${head(prompt, "")}<p class="advice" role="status" data-testid="enrol-advice">${flow.text}</p><div class="mirror">${video}<span class="oval"></span>
      ${flow.countdown > 0 ? html`<span class="count" aria-hidden="true">${flow.countdown}</span>` : nothing}</div>`,
    html`<div class="dots" role="status" aria-label=${WORDS.shot(flow.shots)}>${dots}</div>${leave(tell)}`,
  );
}

/** What hangs at the entrance, word for word. */
const atTheEntrance = (notice: Notice): TemplateResult =>
  html`<section class="entrance" role="region" tabindex="0" dir="auto" aria-label=${WORDS.noticeTitle} data-testid="enrol-notice">${notice.text}</section>`;

/** The screen for where the flow is. */
export function enrolmentScreen(
  flow: Enrolment,
  video: HTMLVideoElement,
  tell: Tell,
  notice?: Notice | null,
): TemplateResult {
  switch (flow.step) {
    case "consent":
      return frame(
        "consent",
        html`${head(WORDS.consentTitle, WORDS.consentText)}${notice ? atTheEntrance(notice) : nothing}`,
        yesNo(
          "consent",
          () => tell({ what: "yes" }),
          () => tell({ what: "no" }),
        ),
      );
    case "code":
      return frame("code", head(WORDS.codeTitle, flow.text || WORDS.codeText), keypad(flow, tell));
    case "expression":
      return frame(
        "expression",
        head(WORDS.expressionTitle, WORDS.expressionText),
        yesNo(
          "expression",
          () => tell({ what: "expression", granted: true }),
          () => tell({ what: "expression", granted: false }),
        ),
      );
    case "capture":
      return capture(flow, video, tell);
    case "sending":
      return frame("sending", head(WORDS.sending, ""), html``);
    case "done":
      return frame(
        "done",
        head(WORDS.done(flow.name), WORDS.doneText),
        html`<button type="button" class="primary" data-testid="enrol-finish" @click=${() => tell({ what: "leave" })}>${WORDS.finish}</button>`,
      );
    case "failed":
      return frame(
        "failed",
        head(WORDS.failed, flow.unsure ? WORDS.perhapsKept : `${flow.text} ${WORDS.kept}`),
        html`<button type="button" class="primary" data-testid="enrol-again" @click=${() => tell({ what: "again" })}>${WORDS.again}</button>${leave(tell)}`,
      );
  }
}

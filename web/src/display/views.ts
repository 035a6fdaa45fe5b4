/** The pieces of the display policy's page. */
import { html, nothing, svg, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { type Limit, type Policy, type Preview, type Values, type Version, valueAt } from "./api.ts";
import { GROUPS, type Group, MODES, WORDS } from "./words.ts";

export interface Doing {
  readonly signIn: (event: SubmitEvent) => void;
  readonly signOut: () => void;
  readonly set: (place: string, value: number) => void;
  readonly visit: (name: string) => void;
  readonly save: (event: SubmitEvent) => void;
  readonly undo: () => void;
  readonly restore: (version: number) => void;
  readonly theirs: () => void;
  readonly mine: () => void;
}

/** What is wrong with values, by their places. */
export type Flaws = Readonly<Record<string, string>>;

const told = (value: number, { unit }: Limit): string =>
  unit === "valence" ? WORDS.valence(value) : WORDS.seconds(value);

/** Key and name. */
export function door(doing: Doing, trouble: string): TemplateResult {
  return html`<main class="door"><h1>${WORDS.signIn}</h1>
    <form @submit=${doing.signIn} data-testid="display-door">
      <label>${WORDS.key}<input name="key" type="password" required autocomplete="off" aria-describedby="how"></label>
      <p id="how" class="muted">${WORDS.keyHow}</p>
      <label>${WORDS.name}<input name="name" required maxlength="64" autocomplete="name"></label>
      ${trouble ? html`<p class="alert" role="alert">${trouble}</p>` : nothing}
      <button class="main">${WORDS.start}</button>
    </form></main>`;
}

function slider(
  place: string,
  label: string,
  policy: Policy,
  values: Values,
  flaws: Flaws,
  doing: Doing,
): TemplateResult {
  const limit = policy.limits[place] ?? { least: 0, most: 1, step: 0.1, unit: "s" };
  const value = valueAt(values, place);
  const before = valueAt(policy.values, place);
  const id = `at-${place.replace(".", "-")}`;
  const flaw = flaws[place];
  const set = (event: Event): void => doing.set(place, Number((event.target as HTMLInputElement).value));
  return html`<div class="slider ${value === before ? "" : "changed"}">
    <label for=${id}>${label}</label><output for=${id}>${told(value, limit)}</output>
    <input id=${id} type="range" min=${limit.least} max=${limit.most} step=${limit.step} .value=${live(String(value))}
      data-testid="slider-${place}" aria-valuetext=${told(value, limit)} aria-invalid=${flaw ? "true" : "false"}
      aria-describedby=${flaw ? `${id}-flaw` : nothing} @input=${set}>
    <span class="was muted">${value === before ? nothing : WORDS.was(told(before, limit))}</span>
    ${flaw ? html`<p class="alert" id="${id}-flaw" role="alert">${flaw}</p>` : nothing}</div>`;
}

/** Every value, in groups. */
export function sliders(policy: Policy, values: Values, flaws: Flaws, doing: Doing): TemplateResult {
  const group = ({ title, about, fields }: Group): TemplateResult => html`<fieldset><legend>${title}</legend>
    <p class="muted">${about}</p>
    ${Object.entries(fields).map(([place, label]) => slider(place, label, policy, values, flaws, doing))}</fieldset>`;
  return html`<section class="values" aria-label=${WORDS.title}>${GROUPS.map(group)}</section>`;
}

const WIDE = 1000;
const BAR = 56;
const FACE = 150;

/** The modes as bars, and below them how the face looked, with the thresholds that are set now. */
function picture(preview: Preview, values: Values): TemplateResult {
  const end = preview.screens.at(-1)?.until || 1;
  const x = (at: number): number => (at / end) * WIDE;
  const y = (valence: number): number => BAR + 34 + ((1 - valence) / 2) * FACE;
  const bars = preview.screens.map((one) => {
    const width = Math.max(1.5, x(one.until) - x(one.since) - 2);
    const name = MODES[one.mode] ?? one.mode;
    return svg`<g class="bar ${one.mode}"><rect x=${x(one.since)} y="0" width=${width} height=${BAR} rx="6"></rect>
      ${width > name.length * 11 + 12 ? svg`<text x=${x(one.since) + 10} y="35">${name}</text>` : nothing}</g>`;
  });
  const marks = preview.happened.map(
    ([at]) => svg`<line class="mark" x1=${x(at)} x2=${x(at)} y1=${BAR + 4} y2=${BAR + 34 + FACE}></line>`,
  );
  const bounds = Object.entries(WORDS.bounds).map(([place, name], index) => {
    const at = y(valueAt(values, place));
    // at both ends by turns: they may lie close to each other
    const end = index % 2 === 0;
    return svg`<line class="bound" x1="0" x2=${WIDE} y1=${at} y2=${at}></line>
      <text class="small" x=${end ? WIDE - 4 : 4} y=${at - 4} text-anchor=${end ? "end" : "start"}>${name}</text>`;
  });
  const dots = preview.valences.map(([at, valence]) => svg`<circle cx=${x(at)} cy=${y(valence)} r="2.2"></circle>`);
  return html`<svg class="timeline" viewBox="0 0 ${WIDE} ${BAR + 44 + FACE}" role="img" data-testid="display-timeline"
    aria-label=${preview.screens.map((one) => `${MODES[one.mode] ?? one.mode} ${WORDS.seconds(one.since)}`).join(", ")}>
    ${bars}${marks}<g class="face">${dots}</g>${bounds}</svg>`;
}

/** What a visit would look like now. */
export function preview(
  policy: Policy,
  values: Values,
  visit: string,
  shown: Preview | undefined,
  stale: boolean,
  doing: Doing,
): TemplateResult {
  const choose = (event: Event): void => doing.visit((event.target as HTMLSelectElement).value);
  const row = (
    one: Preview["screens"][number],
  ): TemplateResult => html`<tr><td class="number">${WORDS.seconds(one.since)}</td>
    <td class="number">${WORDS.seconds(one.until)}</td><td>${MODES[one.mode] ?? one.mode}</td><td>${one.why}</td></tr>`;
  return html`<section class="preview" aria-labelledby="of-preview" aria-busy=${shown ? "false" : "true"}>
    <h2 id="of-preview">${WORDS.preview}</h2>
    <label class="line">${WORDS.visit}<select data-testid="display-visit" @change=${choose}>
      ${policy.visits.map((name) => html`<option ?selected=${name === visit}>${name}</option>`)}</select></label>
    <p class="muted">${WORDS.visitAbout}</p>
    ${
      shown
        ? html`<div class=${stale ? "stale" : ""}>${picture(shown, values)}</div>
      <p class="muted small">${WORDS.look}</p>
      <p class="flickers ${shown.flickers > 0 ? "some" : ""}" role="status" data-testid="display-flickers">
        <strong>${shown.flickers > 0 ? WORDS.flickers(shown.flickers) : WORDS.steady}</strong>
        <span class="muted">${stale ? WORDS.stale : WORDS.flickerAbout}</span></p>
      <details><summary>${WORDS.screens}</summary><table data-testid="display-screens"><thead><tr><th scope="col" class="number">${WORDS.from}</th>
        <th scope="col" class="number">${WORDS.to}</th><th scope="col">${WORDS.screen}</th><th scope="col">${WORDS.why}</th></tr></thead>
        <tbody>${shown.screens.map(row)}</tbody></table></details>`
        : html`<div class="skeleton"></div>`
    }</section>`;
}

/** The way to save what was set. */
export function saving(changes: number, flawed: boolean, busy: boolean, doing: Doing): TemplateResult {
  return html`<form class="saving" @submit=${doing.save} data-testid="display-save-form">
    <label for="note">${WORDS.note}</label>
    <input id="note" name="note" required maxlength="200" autocomplete="off" data-testid="display-note">
    <button class="main" data-testid="display-save" ?disabled=${changes === 0 || flawed || busy}>${WORDS.save}</button>
    <button type="button" data-testid="display-undo" ?disabled=${changes === 0} @click=${doing.undo}>${WORDS.undo}</button>
    <p class="muted" role="status">${changes === 0 ? WORDS.unchanged : WORDS.changes(changes)}</p></form>`;
}

/** Earlier versions. */
export function history(versions: readonly Version[], now: number, doing: Doing): TemplateResult {
  const row = (
    one: Version,
  ): TemplateResult => html`<tr><td class="number">${one.version}</td><td><bdi>${one.note}</bdi>
    ${one.restored ? html`<span class="muted">${WORDS.again(one.restored)}</span>` : nothing}</td>
    <td><bdi>${one.author}</bdi></td><td>${one.at ? new Date(one.at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" }) : ""}</td>
    <td>${
      one.version === now
        ? html`<span class="tag">${WORDS.inUse}</span>`
        : html`<button type="button" data-testid="restore-${one.version}" aria-label=${WORDS.restoreLabel(one.version)}
      @click=${() => doing.restore(one.version)}>${WORDS.restore}</button>`
    }</td></tr>`;
  return html`<section class="history" aria-labelledby="of-history"><h2 id="of-history">${WORDS.history}</h2>
    ${
      versions.length === 0
        ? html`<p class="muted" data-testid="display-empty">${WORDS.empty}</p>`
        : html`<div class="scroll" tabindex="0" role="region" aria-labelledby="of-history"><table data-testid="display-history"><thead><tr><th scope="col" class="number">${WORDS.version}</th>
      <th scope="col">${WORDS.note}</th><th scope="col">${WORDS.by}</th><th scope="col">${WORDS.when}</th><th scope="col"><span class="unseen">${WORDS.restore}</span></th></tr></thead>
      <tbody>${versions.map(row)}</tbody></table></div>`
    }</section>`;
}

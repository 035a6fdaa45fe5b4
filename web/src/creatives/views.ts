/** The pieces of the creatives' page: what waits for a person, what runs, and who decided what. */
import { html, nothing, type TemplateResult } from "lit";
import type { Campaign, Step, Variant } from "./api.ts";
import { STATES, WORDS } from "./words.ts";

export interface Doing {
  readonly signIn: (event: SubmitEvent) => void;
  readonly choose: (campaign: string) => void;
  readonly draw: () => void;
  readonly decide: (variant: string, state: "approved" | "rejected" | "retired") => void;
}

/** Key and name. */
export function door(doing: Doing, trouble: string): TemplateResult {
  return html`<main class="door"><h1>${WORDS.signIn}</h1>
    <form @submit=${doing.signIn} data-testid="creatives-door">
      <label>${WORDS.key}<input name="key" type="password" required autocomplete="off" aria-describedby="how"></label>
      <p id="how" class="muted">${WORDS.keyHow}</p>
      <label>${WORDS.name}<input name="name" required maxlength="64" autocomplete="name"></label>
      ${trouble ? html`<p class="alert" role="alert">${trouble}</p>` : nothing}
      <button class="main">${WORDS.start}</button>
    </form></main>`;
}

/** Which campaign is looked at. */
export function campaigns(all: readonly Campaign[], chosen: string, doing: Doing): TemplateResult {
  const choose = (event: Event): void => doing.choose((event.target as HTMLSelectElement).value);
  return html`<label class="campaign">${WORDS.campaign}<select @change=${choose} data-testid="creatives-campaign">
    ${all.map((one) => html`<option value=${one.campaign_id} ?selected=${one.campaign_id === chosen}>${one.campaign_id}</option>`)}
  </select></label>`;
}

function variant(one: Variant, picture: string | undefined, busy: boolean, doing: Doing): TemplateResult {
  const button = (state: "approved" | "rejected" | "retired", label: string): TemplateResult =>
    html`<button type="button" ?disabled=${busy} data-testid="creatives-${state}"
      @click=${() => doing.decide(one.variant_id, state)}>${label}</button>`;
  const waits = one.state === "proposed";
  return html`<li class="variant ${one.state}" data-testid="creatives-variant" data-variant=${one.variant_id}>
    ${picture ? html`<img src=${picture} alt=${WORDS.looks(one.family)} width="280" height="280">` : html`<span class="blank"></span>`}
    <p class="look">${one.family}</p>
    <p class="muted">${STATES[one.state] ?? one.state}${waits ? nothing : ` · ${WORDS.came(one.shown, one.clicked)}`}</p>
    <p class="buttons">${waits ? html`${button("approved", WORDS.approve)}${button("rejected", WORDS.reject)}` : nothing}
      ${one.state === "approved" ? button("retired", WORDS.retire) : nothing}</p></li>`;
}

/** The variants, those that wait first. */
export function queue(
  all: readonly Variant[],
  pictures: ReadonlyMap<string, string>,
  busy: boolean,
  doing: Doing,
): TemplateResult {
  const order = ["proposed", "approved", "rejected", "retired"];
  const sorted = [...all].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
  return html`<section aria-label=${WORDS.variants}><h2>${WORDS.variants}</h2>
    ${sorted.length === 0 ? html`<p class="muted">${WORDS.none}</p>` : nothing}
    <ul class="variants">${sorted.map((one) => variant(one, pictures.get(one.variant_id), busy, doing))}</ul>
    <button type="button" ?disabled=${busy} data-testid="creatives-draw" @click=${doing.draw}>${WORDS.draw}</button></section>`;
}

/** Who decided what, the latest first. */
export function history(steps: readonly Step[]): TemplateResult {
  const row = (
    step: Step,
  ): TemplateResult => html`<tr><td><time datetime=${step.at}>${new Date(step.at).toLocaleString("en-GB")}</time></td>
    <td>${step.by === "policy" ? WORDS.policy : step.by}</td><td>${STATES[step.state] ?? step.state}</td>
    <td>${step.of_family ? WORDS.family(step.subject) : step.subject}</td><td>${step.note}</td></tr>`;
  return html`<section><h2>${WORDS.history}</h2><div class="scroll"><table data-testid="creatives-history">
    <thead><tr>${WORDS.columns.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
    <tbody>${[...steps].reverse().map(row)}</tbody></table></div></section>`;
}

/** The window: header, menu, what is wrong with the connection, the log, the row to write in. */
import { html, nothing, type TemplateResult } from "lit";
import { LANGUAGES, type Language } from "../language.ts";
import type { Scene } from "../scene.ts";
import { composer } from "./composer.ts";
import { glyph } from "./glyph.ts";
import { log } from "./messages.ts";
import { forms, queue } from "./people.ts";

type Part = TemplateResult | typeof nothing;

function header({ title, talk, words, menu, on }: Scene): TemplateResult {
  const { state, agent } = talk.hand;
  const person = state === "human" ? agent || words.person : "";
  return html`<header class="head" part="header">
    <span class="avatar ${person ? "person" : ""}" aria-hidden="true">${person ? [...person][0] : "AI"}</span>
    <div class="words"><h2 id="aisle-title" class="title" tabindex="-1">${person || title}</h2>
      <p class="subtitle" data-testid="chat-subtitle">${person ? words.subtitlePerson : words.subtitle}</p></div>
    <button type="button" class="round menu-button" data-testid="chat-menu" aria-expanded=${menu ? "true" : "false"} aria-controls="aisle-menu"
      aria-label=${words.menu} @click=${() => on.menu(!menu)}>${glyph("more")}</button>
    <button type="button" class="round" data-testid="chat-close" aria-label=${words.close} @click=${() => on.close()}>${glyph("close")}</button>
  </header>`;
}

function menu({ menu: open, words, language, readAloud, on }: Scene): TemplateResult {
  const picked = ({ currentTarget }: Event): void =>
    on.language((currentTarget as HTMLSelectElement).value as Language);
  const aloud = ({ currentTarget }: Event): void => on.readAloud((currentTarget as HTMLInputElement).checked);
  return html`<div id="aisle-menu" class="menu" ?hidden=${!open}>
    <label class="option">${words.language}<select data-testid="chat-language" @change=${picked}>${Object.entries(
      LANGUAGES,
    ).map(
      ([code, name]) => html`<option value=${code} lang=${code} ?selected=${code === language}>${name}</option>`,
    )}</select></label>
    ${
      readAloud === undefined
        ? nothing
        : html`<label class="option"><span>${words.readAloud}</span><input type="checkbox" role="switch" data-testid="chat-read-aloud" .checked=${readAloud} @change=${aloud}></label>`
    }
    <button type="button" class="option danger" data-testid="chat-forget" @click=${() => on.askForget(true)}>${words.forget}</button>
  </div>`;
}

/** What is wrong with the connection, and what becomes of what is written. */
function trouble({ talk, words, on }: Scene): Part {
  if (talk.link === "ok" || talk.phase !== "open") return nothing;
  const text = { offline: words.offline, unreachable: words.unreachable, busy: words.busy }[talk.link];
  return html`<div class="strip trouble" data-testid="chat-error"><p>${glyph("alert")}<span>${text}</span></p>
    ${talk.link === "busy" ? nothing : html`<button type="button" data-testid="chat-retry" @click=${() => on.retry()}>${words.retry}</button>`}</div>`;
}

const bones = (): TemplateResult => html`<div class="bones" aria-hidden="true"><i></i><i></i><i></i></div>`;

function blank({ talk, words, on }: Scene): Part {
  if (talk.phase === "opening" && talk.messages.length === 0) return bones();
  if (talk.phase === "failed") {
    return html`<div class="blank" data-testid="chat-unreachable"><p class="what">${words.notOpen}</p><p class="kept">${words.notOpenKept}</p>
      <button type="button" class="primary" @click=${() => on.restart()}>${words.retry}</button></div>`;
  }
  if (talk.phase === "forgotten") {
    return html`<div class="blank" data-testid="chat-forgotten"><p class="what">${words.forgotten}</p>
      <button type="button" class="primary" data-testid="chat-restart" @click=${() => on.restart()}>${words.startAgain}</button></div>`;
  }
  return nothing;
}

function asking({ asking: state, words, on }: Scene): Part {
  if (!state) return nothing;
  const busy = state === "forgetting";
  return html`<div class="veil"><section class="ask" role="alertdialog" aria-modal="true" aria-labelledby="aisle-ask" aria-describedby="aisle-ask-text" data-testid="forget-dialog">
    <h3 id="aisle-ask">${words.forgetAsk}</h3><p id="aisle-ask-text">${words.forgetText}</p>
    ${state === "forget-failed" ? html`<p class="trouble-line" role="alert">${glyph("alert")}${words.forgetFailed}</p>` : nothing}
    <div class="buttons"><button type="button" class="plain" data-testid="forget-no" @click=${() => on.askForget(false)}>${words.forgetNo}</button>
    <button type="button" class="primary danger" data-testid="forget-yes" aria-disabled=${busy ? "true" : "false"} @click=${() => busy || on.forget()}>${words.forgetYes}</button></div>
  </section></div>`;
}

/** All of it. */
export function frame(scene: Scene): TemplateResult {
  const { talk, words, asking: state, below, on } = scene;
  const open = talk.phase === "open" || (talk.phase === "opening" && talk.messages.length > 0);
  const covered = state !== "";
  return html`<div class="page" ?inert=${covered}>
    ${header(scene)}${menu(scene)}${queue(scene)}${trouble(scene)}
    <div class="body"><div class="log" role="log" aria-live="off" aria-label=${words.log} tabindex="0" data-testid="chat-log">
      ${blank(scene)}${open ? html`${log(scene)}${forms(scene)}` : nothing}</div>
      ${below ? html`<button type="button" class="latest" data-testid="chat-latest" @click=${() => on.latest()}>${words.newMessages}${glyph("down")}</button>` : nothing}</div>
    ${open ? composer(scene) : nothing}</div>${asking(scene)}`;
}

/** Where the shopper writes, speaks and attaches. */
import { html, nothing, type TemplateResult } from "lit";
import type { Scene } from "../scene.ts";
import { glyph } from "./glyph.ts";

type Part = TemplateResult | typeof nothing;

/** What a message holds at most; the api takes no more. */
export const LONGEST = 1000;
export const ACCEPTED = "image/jpeg,image/png,image/webp,application/pdf";

function chosen({ file, words, on }: Scene): Part {
  if (!file) return nothing;
  return html`<p class="chosen" data-testid="chosen-file">${glyph("file")}<bdi>${file.name}</bdi>
    <button type="button" class="round" aria-label=${words.attachRemove(file.name)} @click=${() => on.pick(undefined)}>${glyph("close")}</button></p>`;
}

function speechNotice({ speech, words, on }: Scene): Part {
  if (speech !== "ask") return nothing;
  return html`<div class="notice" data-testid="speech-notice"><p>${words.speakNotice}</p>
    <button type="button" class="primary" @click=${() => on.speak()}>${words.speakGo}</button></div>`;
}

function microphone({ speech, words, on }: Scene): Part {
  if (speech === "none") return nothing;
  const listening = speech === "listening";
  return html`<button type="button" class="round mic ${listening ? "on" : ""}" data-testid="chat-speak"
    aria-label=${listening ? words.speakStop : words.speak} @click=${() => on.speak()}>${glyph("mic")}</button>`;
}

function picker({ words, on }: Scene): TemplateResult {
  const picked = ({ currentTarget }: Event): void => {
    const input = currentTarget as HTMLInputElement;
    on.pick(input.files?.[0]);
    input.value = "";
  };
  const press = ({ currentTarget }: Event): void =>
    (currentTarget as HTMLElement).parentElement?.querySelector("input")?.click();
  return html`<span class="picker"><input type="file" hidden accept=${ACCEPTED} data-testid="chat-file" @change=${picked}>
    <button type="button" class="round" data-testid="chat-attach" aria-label=${words.attach} @click=${press}>${glyph("attach")}</button></span>`;
}

/** Let the field grow with its text, up to what its style allows. */
export function grow(field: HTMLTextAreaElement): void {
  field.style.blockSize = "";
  if (field.value) field.style.blockSize = `${field.scrollHeight}px`;
}

/** The row at the bottom. */
export function composer(scene: Scene): TemplateResult {
  const { words, talk, on, notice } = scene;
  const send = (event: Event): void => {
    event.preventDefault();
    const field = (event.currentTarget as HTMLElement).closest("form")?.querySelector("textarea");
    if (!field) return;
    const text = field.value;
    field.value = "";
    grow(field);
    on.say(text);
    field.focus({ preventScroll: true });
  };
  const key = (event: KeyboardEvent): void => {
    // Enter sends, except within an input method, where it picks a word.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
  };
  const person = talk.hand.state === "human";
  const label = person ? words.placeholderPerson : words.placeholder;
  return html`<form class="composer" @submit=${send}>
    ${notice ? html`<p class="notice-line" data-testid="chat-notice">${notice}</p>` : nothing}
    ${speechNotice(scene)}${chosen(scene)}
    <div class="row">${scene.files ? picker(scene) : nothing}
      <textarea class="field" rows="1" maxlength=${LONGEST} enterkeyhint="send" dir="auto" autocomplete="off" data-testid="chat-input"
        aria-label=${label} placeholder=${label} @keydown=${key}
        @input=${(event: Event) => {
          grow(event.currentTarget as HTMLTextAreaElement);
          on.types();
        }}></textarea>
      ${microphone(scene)}
      <button type="submit" class="round send" data-testid="chat-send" aria-label=${words.send}>${glyph("send")}</button>
    </div></form>`;
}

/** The kiosk page: what the server says, what the camera does, who is enrolling, and drawing all of it. */
import { html, nothing, render, type TemplateResult } from "lit";
import { keyed } from "lit/directives/keyed.js";
import type { DisplayState } from "../api/types.ts";
import { type Device, displayUrl, forgetMe, notMe, sendFrame } from "./api.ts";
import { Camera, FrameLoop } from "./camera.ts";
import { enrolmentScreen } from "./enrolment-screens.ts";
import { Flow } from "./flow.ts";
import { cameraSheet, forgetSheet, topBar, whySheet } from "./privacy.ts";
import { attract, calm, notice, slidesOf, welcome } from "./screens.ts";
import { EventStream } from "./stream.ts";
import { WORDS } from "./words.ts";

const SLIDE_MS = 8000;
/** Screens that are somebody's own. */
const PERSONAL: readonly string[] = ["welcome", "inspire", "calm", "help"];
type Sheet = "none" | "camera" | "why" | "forget";

/** The state to show while the server is away: the last poster, and nothing personal. */
export function withoutServer(
  last: DisplayState | undefined,
  attractState: DisplayState | undefined,
): DisplayState | undefined {
  if (last?.mode === "attract") return last;
  if (attractState) return attractState;
  if (!last) return undefined;
  const { retailer, kiosk_id, revision, privacy } = last;
  const quiet = { ...privacy, recognised: false };
  return { kiosk_id, revision, retailer, mode: "offline", privacy: quiet, headline: WORDS.offlineHeadline, items: [] };
}

/** Have the next posters ready, so that the loop never shows a blank. */
function preload(state: DisplayState): void {
  for (const { poster } of slidesOf(state)) if (poster) new Image().src = poster.url;
}

/** One kiosk. */
export class Kiosk {
  private readonly camera = new Camera();
  private readonly loop: FrameLoop;
  private readonly flow: Flow;
  private state: DisplayState | undefined;
  private lastAttract: DisplayState | undefined;
  private connected = true;
  private refused = false;
  private hidden = false;
  private open: Sheet = "none";
  private said = "";
  private trouble = "";
  private slide = 0;

  constructor(
    private readonly root: HTMLElement,
    private readonly device: Device,
    cameraWanted: boolean,
  ) {
    this.loop = new FrameLoop(this.camera, (frame) => sendFrame(device, frame));
    this.flow = new Flow(device, this.camera, this.loop, () => this.draw());
    new EventStream<DisplayState>(displayUrl(device), device.key, "display", {
      onEvent: (state) => this.take(state),
      onState: (connected) => this.connection(connected),
      onRefused: () => this.refuse(),
    });
    setInterval(() => this.turn(), SLIDE_MS);
    document.addEventListener("keydown", (event) => this.onKey(event));
    this.draw();
    if (cameraWanted) void this.setCamera(true);
  }

  private take(state: DisplayState): void {
    if (state.mode !== this.state?.mode || state.decision_id !== this.state.decision_id) this.hidden = false;
    if (state.mode === "attract") this.lastAttract = state;
    this.state = state;
    this.refused = false;
    preload(state);
    document.title = state.retailer;
    if (state.mode === "enrolment" && !this.flow.state) this.flow.tell({ what: "start" });
    this.draw();
  }

  private connection(connected: boolean): void {
    if (connected === this.connected) return;
    this.connected = connected;
    this.draw();
  }

  private refuse(): void {
    this.refused = true;
    this.draw();
  }

  private turn(): void {
    const next = this.shown ? slidesOf(this.shown) : [];
    this.slide = next.length > 0 ? (this.slide + 1) % next.length : 0;
    if (this.shown?.mode === "attract") this.draw();
  }

  private onKey(event: KeyboardEvent): void {
    const { tell, state } = this.flow;
    if (event.key === "Escape" && this.open !== "none") this.show("none");
    else if (event.key === "Escape" && state) tell({ what: "leave" });
    else if (state?.step !== "code") return;
    else if (/^\d$/.test(event.key)) tell({ what: "digit", digit: event.key });
    else if (event.key === "Backspace") tell({ what: "erase" });
  }

  private async setCamera(on: boolean): Promise<void> {
    this.trouble = "";
    try {
      if (on) await this.camera.start();
      else this.camera.stop();
      if (on) this.loop.start();
      else this.loop.stop();
    } catch (error) {
      this.trouble = (error as Error).message;
    }
    this.draw();
  }

  private show(sheet: Sheet): void {
    const before = this.open;
    this.open = sheet;
    this.said = "";
    this.draw();
    const back = before === "camera" ? ".privacy" : `[data-sheet="${before}"]`;
    this.root.querySelector<HTMLElement>(sheet === "none" ? back : ".sheet button")?.focus();
  }

  private async forget(): Promise<void> {
    try {
      await forgetMe(this.device);
      this.hidden = true;
      this.said = WORDS.forgotten;
    } catch {
      this.said = WORDS.forgetFailed;
    }
    this.draw();
  }

  /** The state to draw; a stranger's screen when offline or when someone said "not me". */
  private get shown(): DisplayState | undefined {
    if (!this.connected) return withoutServer(this.state, this.lastAttract);
    return this.hidden ? (withoutServer(undefined, this.lastAttract) ?? this.state) : this.state;
  }

  private get screen(): { key: string; body: TemplateResult } {
    const { shown: state } = this;
    const { state: flow, tell } = this.flow;
    if (this.refused) return { key: "refused", body: notice(WORDS.refused, WORDS.refusedHow) };
    if (flow) return { key: flow.step, body: enrolmentScreen(flow, this.camera.video, tell) };
    if (!state) return { key: "waiting", body: notice(WORDS.waiting, "") };
    if (state.mode === "welcome") return { key: `welcome:${state.decision_id}`, body: welcome(state) };
    if (state.mode === "inspire") return { key: `inspire:${state.decision_id}`, body: welcome(state) };
    if (state.mode === "calm" || state.mode === "help") return { key: state.mode, body: calm(state) };
    if (state.mode === "offline") return { key: "offline", body: notice(state.headline, state.subline ?? "") };
    return { key: `attract:${this.slide}`, body: attract(state, this.slide) };
  }

  private get foot(): TemplateResult | typeof nothing {
    const mode = this.shown?.mode;
    if (this.flow.state || this.refused) return nothing;
    if (!this.connected) {
      return html`<footer class="foot"><p class="offline" role="status" data-testid="kiosk-offline">${WORDS.offline}</p></footer>`;
    }
    if (mode && PERSONAL.includes(mode)) return this.rights();
    if (mode !== "attract" && mode !== "enrolment") return nothing;
    return html`<footer class="foot"><button type="button" class="primary" data-testid="kiosk-enrol"
      @click=${() => this.flow.tell({ what: "start" })}>${WORDS.enrol}</button></footer>`;
  }

  /** What everybody may do about a screen that is their own: always in sight. */
  private rights(): TemplateResult {
    const button = (sheet: Sheet, words: string): TemplateResult => html`<button type="button" class="quiet"
      data-testid="kiosk-${sheet}" data-sheet=${sheet} aria-haspopup="dialog" @click=${() => this.show(sheet)}>${words}</button>`;
    const known = this.shown?.privacy.recognised
      ? html`<button type="button" class="quiet" data-testid="kiosk-not-me" @click=${() => this.hide()}>${WORDS.notMe}</button>
          ${button("forget", WORDS.forgetMe)}`
      : nothing;
    return html`<footer class="foot">${known}${button("why", WORDS.why)}</footer>`;
  }

  private hide(): void {
    this.hidden = true;
    this.draw();
    // the screen is anonymous already; without the server it stays so until the next change
    notMe(this.device).catch(() => undefined);
  }

  private sheet(): TemplateResult | typeof nothing {
    const close = (): void => this.show("none");
    if (this.open === "camera") {
      const text = this.shown?.privacy.text ?? "";
      return cameraSheet(this.camera.on, text, this.trouble, (on) => void this.setCamera(on), close);
    }
    if (this.open === "forget") return forgetSheet(this.said, () => void this.forget(), close);
    return this.open === "why" && this.shown ? whySheet(this.shown, close) : nothing;
  }

  private draw(): void {
    const { key, body } = this.screen;
    const before = this.root.dataset.screen;
    this.root.dataset.screen = key.split(":")[0] ?? key;
    this.root.dataset.mode = this.shown?.mode ?? "waiting";
    const bar = topBar({
      retailer: this.state?.retailer ?? "",
      privacy: this.shown?.privacy,
      camera: this.camera.on,
      onOpen: () => this.show("camera"),
    });
    render(html`${bar}${keyed(key, body)}${this.foot}${this.sheet()}`, this.root);
    if (this.flow.state && before !== this.root.dataset.screen)
      this.root.querySelector<HTMLElement>(".headline")?.focus();
  }
}

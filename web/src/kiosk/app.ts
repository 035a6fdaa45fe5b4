/** The kiosk page: what the server says, what the camera does, who is enrolling, and drawing all of it. */
import { html, nothing, render, type TemplateResult } from "lit";
import { keyed } from "lit/directives/keyed.js";
import type { DisplayState, Slide } from "../api/types.ts";
import type { Language } from "../widget/language.ts";
import { type Device, displayUrl, sendFrame } from "./api.ts";
import { Camera, FrameLoop } from "./camera.ts";
import { enrolmentScreen } from "./enrolment-screens.ts";
import { Flow } from "./flow.ts";
import { Keeper } from "./offline/keeper.ts";
import { showing } from "./offline/plays.ts";
import { filmOf } from "./parts.ts";
import { awaySheet, cameraSheet, forgetSheet, languageSheet, topBar, whySheet } from "./privacy.ts";
import { attract, calm, notice, plain, roomFor, slidesOf, welcome } from "./screens.ts";
import { EventStream } from "./stream.ts";
import { WantedCamera } from "./wanted.ts";
import { language, speak, WORDS } from "./words.ts";

const SLIDE_MS = 8000;
/** Screens that are somebody's own. */
const PERSONAL: readonly string[] = ["welcome", "inspire", "calm", "help"];
/** Whoever stands there and touches nothing for so long has left, or only looks. */
const IDLE_MS = 60_000;
type Sheet = "none" | "camera" | "why" | "forget" | "away" | "language";

/** The state to show while the server is away: posters that may still be played, else a plain one; nothing personal. */
export function withoutServer(playable: DisplayState | undefined, retailer: string): DisplayState {
  if (playable) return playable;
  const privacy = { camera: false, recognised: false, text: "" };
  return { kiosk_id: "", revision: 0, retailer, mode: "offline", privacy, headline: "", items: [] };
}

/** Whether the store's operator has switched recognition on; a server that does not tell refuses by itself. */
const mayEnrol = (state: DisplayState | undefined): boolean =>
  state?.notice === undefined || (state.notice?.uses.includes("recognition") ?? false);

/** Have the next posters ready, so that the loop never shows a blank. */
function preload(state: DisplayState): void {
  for (const { poster } of slidesOf(state)) if (poster) new Image().src = poster.url;
}

/** One kiosk. */
export class Kiosk {
  private readonly camera = new Camera();
  private readonly wanted: WantedCamera;
  private readonly flow: Flow;
  private readonly keeper: Keeper;
  private state: DisplayState | undefined;
  /** Undefined until the first answer: what was kept is played meanwhile. */
  private connected: boolean | undefined;
  private refused = false;
  private stale = false;
  /** Of whom was greeted last; it goes with them. */
  private ticket: string | undefined;
  /** Whether several were greeted: what one of them asks for counts for all. */
  private shared = false;
  private idle: ReturnType<typeof setTimeout> | undefined;
  private hidden = false;
  private open: Sheet = "none";
  private said: "" | "forgotten" | "forgetKept" | "forgetFailed" = "";
  private slide = 0;
  private round = 0;

  constructor(
    private readonly root: HTMLElement,
    private readonly device: Device,
    cameraWanted: boolean,
    private readonly usual: Language,
  ) {
    const loop = new FrameLoop(this.camera, (frame) => sendFrame(device, frame));
    this.wanted = new WantedCamera(this.camera, loop, () => this.draw());
    this.flow = new Flow(device, this.camera, loop, () => {
      this.wanted.look();
      this.draw();
    });
    this.keeper = new Keeper(device);
    root.addEventListener("film-failed", () => this.draw());
    document.addEventListener("keydown", (event) => this.onKey(event));
    document.addEventListener("visibilitychange", () => this.draw());
    for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, () => this.watchIdle(), true);
    this.draw();
    this.turnLater();
    void this.start();
    if (cameraWanted) void this.wanted.set(true);
  }

  private async start(): Promise<void> {
    await this.keeper.start(() => {
      this.stale = true;
    });
    this.draw();
    new EventStream<DisplayState>(displayUrl(this.device), this.device.key, "display", {
      before: () => this.keeper.outbox.wishesFirst(),
      onEvent: (state) => this.take(state),
      onState: (connected) => this.connection(connected),
      onRefused: () => this.refuse(),
    });
  }

  private take(state: DisplayState): void {
    if (state.mode !== this.state?.mode || state.decision_id !== this.state.decision_id) this.hidden = false;
    const before = this.state?.mode ?? "";
    this.ticket = state.ticket ?? undefined;
    this.shared = state.words?.shared ?? false;
    this.state = state;
    this.refused = false;
    if (PERSONAL.includes(state.mode)) this.watchIdle();
    else if (PERSONAL.includes(before)) this.visitorLeft();
    this.keeper.confirm(state);
    preload(state);
    document.title = state.retailer;
    if (state.mode === "enrolment" && !this.flow.state) this.enrol();
    this.draw();
  }

  private connection(connected: boolean): void {
    if (connected === this.connected) return;
    this.connected = connected;
    this.keeper.connected(connected);
    if (!connected) this.state = undefined;
    if (!connected && this.open === "why") this.open = "none";
    if (this.ticket) this.watchIdle();
    this.draw();
  }

  private refuse(): void {
    this.refused = true;
    this.state = undefined;
    void this.keeper.refused().then(() => this.draw());
    this.draw();
  }

  private watchIdle(): void {
    clearTimeout(this.idle);
    this.idle = setTimeout(() => {
      if (this.flow.busy) return this.watchIdle();
      // whoever walks away leaves no half-open consent on the screen
      if (this.flow.state) this.flow.tell({ what: "leave" });
      this.visitorLeft(true);
      this.draw();
    }, IDLE_MS);
  }

  /** Forget what this page knows of who was here. The answer to "forget me" may be read as long as it takes. */
  private visitorLeft(untouched = false): void {
    const reads = this.open === "forget" && !untouched;
    if (!reads) this.open = "none";
    if (this.state?.ticket && this.connected) return; // the camera says that they are still there
    this.ticket = undefined;
    this.hidden = false;
    this.wanted.trouble = undefined;
    if (!this.flow.state && !reads) void this.speak(this.usual);
  }

  private async speak(code: Language): Promise<void> {
    if (code === language || !(await speak(code))) return;
    this.draw();
  }

  /** A slide stands for eight seconds, one with a film until its end. */
  private turnLater(): void {
    const film = filmOf(this.slideShown()?.poster);
    setTimeout(
      () => {
        this.turn();
        this.turnLater();
      },
      Math.max(SLIDE_MS, (film?.seconds ?? 0) * 1000),
    );
  }

  private slideShown(): Slide | undefined {
    const slides = this.shown?.mode === "attract" ? slidesOf(this.shown) : [];
    return slides[this.slide % Math.max(1, slides.length)];
  }

  private turn(): void {
    const next = this.shown ? slidesOf(this.shown) : [];
    this.slide = next.length > 0 ? (this.slide + 1) % next.length : 0;
    this.round++;
    const quiet = this.open === "none" && !this.flow.state && this.shown?.mode === "attract";
    if (this.stale && quiet && this.connected) location.reload();
    else if (this.shown?.mode === "attract" || !this.connected) this.draw();
  }

  private onKey(event: KeyboardEvent): void {
    const { tell, state } = this.flow;
    if (event.key === "Escape" && this.open !== "none") this.show("none");
    else if (event.key === "Escape" && state) tell({ what: "leave" });
    else if (state?.step !== "code") return;
    else if (/^\d$/.test(event.key)) tell({ what: "digit", digit: event.key });
    else if (event.key === "Backspace") tell({ what: "erase" });
  }

  private show(sheet: Sheet): void {
    const before = this.open;
    this.open = sheet;
    this.said = "";
    this.watchIdle();
    this.draw();
    const back = before === "camera" ? ".privacy" : `[data-sheet="${before}"]`;
    this.root.querySelector<HTMLElement>(sheet === "none" ? back : ".sheet button")?.focus();
  }

  private async forget(): Promise<void> {
    const { ticket } = this;
    this.hidden = true;
    this.draw();
    const heard = ticket ? await this.keeper.outbox.wish({ what: "forget-me", ticket }) : "lost";
    this.said = heard === "heard" ? "forgotten" : heard === "kept" ? "forgetKept" : "forgetFailed";
    if (heard !== "lost") this.ticket = undefined;
    this.draw();
  }

  /** The state to draw; a stranger's screen when offline or when someone said "not me". */
  private get shown(): DisplayState | undefined {
    const { playlist } = this.keeper;
    if (this.state && this.connected && !this.hidden) return this.state;
    const playable = playlist.playable();
    if (playable) return playable;
    return this.connected === undefined ? undefined : withoutServer(undefined, this.retailer);
  }

  private get retailer(): string {
    return this.state?.retailer ?? this.keeper.playlist.copy?.state.retailer ?? "";
  }

  private get screen(): { key: string; body: TemplateResult } {
    const { shown: state } = this;
    const { state: flow, tell } = this.flow;
    if (this.refused) return { key: "refused", body: notice(WORDS.refused, WORDS.refusedHow) };
    if (flow) return { key: flow.step, body: enrolmentScreen(flow, this.camera.video, tell, this.state?.notice) };
    if (!state) return { key: "waiting", body: notice(WORDS.waiting, "") };
    if (state.mode === "welcome") return { key: `welcome:${state.decision_id}`, body: welcome(state) };
    if (state.mode === "inspire") return { key: `inspire:${state.decision_id}`, body: welcome(state) };
    if (state.mode === "calm" || state.mode === "help") return { key: state.mode, body: calm(state) };
    if (state.mode === "offline") return { key: "offline", body: plain(state.retailer) };
    return { key: `attract:${this.slide}`, body: attract(state, this.slide) };
  }

  private get foot(): TemplateResult | typeof nothing {
    const mode = this.shown?.mode;
    if (this.flow.state || this.refused) return nothing;
    if (this.connected === false) return this.footAway();
    if (mode && PERSONAL.includes(mode)) return this.rights();
    if (mode !== "attract" && mode !== "enrolment") return nothing;
    const enrol = mayEnrol(this.state) ? this.enrolButton(() => this.enrol()) : nothing;
    return html`<footer class="foot">${enrol}${this.sheetButton("why", WORDS.why)}</footer>`;
  }

  private enrol(): void {
    this.flow.tell({ what: "start", asksExpression: this.state?.notice?.uses.includes("expression") ?? true });
  }

  private enrolButton(onClick: () => void): TemplateResult {
    return html`<button type="button" class="primary" data-testid="kiosk-enrol" @click=${onClick}>${WORDS.enrol}</button>`;
  }

  /** What somebody can still do while the api is away: ask to be forgotten; what cannot be done says so. */
  private footAway(): TemplateResult {
    return html`<footer class="foot">
      <p class="offline" role="status" data-testid="kiosk-offline">${WORDS.offline}</p>
      ${this.ticket ? this.sheetButton("forget", WORDS.forgetMe) : this.enrolButton(() => this.show("away"))}
    </footer>`;
  }

  private sheetButton(sheet: Sheet, words: string): TemplateResult {
    return html`<button type="button" class="quiet" data-testid="kiosk-${sheet}" data-sheet=${sheet}
      aria-haspopup="dialog" @click=${() => this.show(sheet)}>${words}</button>`;
  }

  /** What everybody may do about a screen that is their own: always in sight. */
  private rights(): TemplateResult {
    const known = this.shown?.privacy.recognised
      ? html`<button type="button" class="quiet" data-testid="kiosk-not-me" @click=${() => this.hide()}>${WORDS.notMe}</button>
          ${this.sheetButton("forget", WORDS.forgetMe)}`
      : nothing;
    return html`<footer class="foot">${known}${this.sheetButton("why", WORDS.why)}</footer>`;
  }

  private hide(): void {
    this.hidden = true;
    // the screen is anonymous already, whether the api hears of it now or later
    if (this.ticket) void this.keeper.outbox.wish({ what: "not-me", ticket: this.ticket });
    this.draw();
  }

  private sheet(): TemplateResult | typeof nothing {
    const close = (): void => this.show("none");
    if (this.open === "camera") {
      const { trouble: reason, wanted } = this.wanted;
      const trouble = reason ? (WORDS.advice[reason] ?? "") : "";
      const notice = this.state?.notice?.text ?? "";
      const { privacy } = this.shown ?? {};
      const onSwitch = (on: boolean): void => void this.wanted.set(on);
      return cameraSheet({ on: this.camera.on, wanted }, privacy, notice, trouble, onSwitch, close);
    }
    if (this.open === "away") return awaySheet(close);
    if (this.open === "language") return languageSheet((code) => void this.speak(code).then(close), close);
    if (this.open === "forget") {
      const done = this.said === "forgotten" || this.said === "forgetKept";
      const said = this.said ? WORDS[this.said] : "";
      return forgetSheet(said, done, this.shared, () => void this.forget(), close);
    }
    return this.open === "why" && this.shown ? whySheet(this.shown, close) : nothing;
  }

  private draw(): void {
    const { key, body } = this.screen;
    const before = this.root.dataset.screen;
    this.root.dataset.screen = key.split(":")[0] ?? key;
    this.root.dataset.mode = this.shown?.mode ?? "waiting";
    const bar = topBar({
      retailer: this.retailer,
      privacy: this.shown?.privacy,
      camera: this.camera.on,
      onOpen: () => this.show("camera"),
      onLanguage: () => this.show("language"),
    });
    this.record();
    render(html`${bar}${keyed(key, body)}${this.foot}${this.sheet()}`, this.root);
    if (this.flow.state && before !== this.root.dataset.screen)
      this.root.querySelector<HTMLElement>(".headline")?.focus();
  }

  /** Note what stands on the screen, as long as it is the shop's and somebody can see it. */
  private record(): void {
    const { shown } = this;
    const seen = shown && !this.flow.state && !this.refused && !document.hidden ? shown : undefined;
    const now = seen && showing(seen, this.slideShown(), this.round, roomFor(seen.mode), this.connected === true);
    this.keeper.recorder.see(now);
  }
}

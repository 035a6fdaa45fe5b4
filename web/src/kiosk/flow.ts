/** Runs the enrolment flow: camera, countdown, three good pictures, the api, and nothing left behind. */
import { ApiError } from "../api/http.ts";
import { coach, type Device, enrol, isAnswer, isCodeProblem } from "./api.ts";
import { type Camera, CameraError, type FrameLoop } from "./camera.ts";
import { type Enrolment, type Happening, next, SHOTS } from "./enrolment.ts";
import { WORDS } from "./words.ts";

const DONE_MS = 12_000;
const COUNTDOWN = 3;
const BETWEEN_MS = 900;
const AGAIN_MS = 500;
const PATIENCE_MS = 40_000;
const SHOT_WIDTH = 640;

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** One run of the flow after another. */
export class Flow {
  state: Enrolment | undefined;
  private over: ReturnType<typeof setTimeout> | undefined;
  private run = 0;
  private borrowed = false;

  constructor(
    private readonly device: Device,
    private readonly camera: Camera,
    private readonly loop: FrameLoop,
    private readonly changed: () => void,
  ) {}

  /** Something happened. */
  readonly tell = (happening: Happening): void => {
    const before = this.state?.step;
    this.state = next(this.state, happening);
    const step = this.state?.step;
    clearTimeout(this.over);
    if (step === "done") this.over = setTimeout(() => this.tell({ what: "leave" }), DONE_MS);
    if (step === "capture" && before !== "capture") void this.capture();
    if (!this.state && before) this.leave();
    this.changed();
  };

  /** Whether the page is at work, and nobody has to touch anything. */
  get busy(): boolean {
    return this.state?.step === "capture" || this.state?.step === "sending";
  }

  private leave(): void {
    this.run++;
    this.loop.paused = false;
    if (this.borrowed) this.camera.stop();
    this.borrowed = false;
  }

  private async capture(): Promise<void> {
    const run = ++this.run;
    const live = (): boolean => run === this.run;
    this.loop.paused = true;
    try {
      const frames = await this.takePictures(live);
      if (live() && this.state) await this.send(this.state, frames, live);
    } catch (error) {
      if (live()) this.tell({ what: "failed", text: textOf(error), code: false });
    } finally {
      if (live()) this.loop.paused = false;
    }
  }

  private async takePictures(live: () => boolean): Promise<Blob[]> {
    if (!this.camera.on) {
      this.borrowed = true;
      await this.camera.start();
    }
    if (!live()) return [];
    this.changed();
    for (let left = COUNTDOWN; left >= 0 && live(); left--) {
      this.tell({ what: "countdown", left });
      if (left > 0) await wait(BETWEEN_MS);
    }
    return this.goodPictures(live);
  }

  /** Take pictures until enough are good, saying after each that is not what to change; an Error with the last advice when time is up. */
  private async goodPictures(live: () => boolean): Promise<Blob[]> {
    const frames: Blob[] = [];
    const until = performance.now() + PATIENCE_MS;
    let advice = "";
    while (frames.length < SHOTS && live()) {
      await wait(advice ? AGAIN_MS : BETWEEN_MS);
      if (!live()) break;
      if (performance.now() > until) throw new Impatience(advice || WORDS.unreachable);
      const frame = await this.camera.frame(SHOT_WIDTH);
      advice = await coach(this.device, frame);
      if (!live()) break;
      if (!advice) frames.push(frame);
      this.tell(advice ? { what: "advice", text: advice } : { what: "shot", count: frames.length });
    }
    return frames;
  }

  private async send(flow: Enrolment, frames: readonly Blob[], live: () => boolean): Promise<void> {
    try {
      const name = await enrol(this.device, flow, frames);
      if (live()) this.tell({ what: "sent", name });
    } catch (error) {
      const text = textOf(error);
      if (live()) this.tell({ what: "failed", text, code: isCodeProblem(error), unsure: !isAnswer(error) });
    }
  }
}

/** The api's refusals that somebody at the screen can understand, by their codes. */
function refusal({ status, problem }: ApiError): string {
  if (problem.code === "enrolment") return WORDS.advice.different ?? WORDS.failed;
  if (problem.code === "not-switched-on") return WORDS.notOn;
  if (status === 429) return WORDS.tooOften;
  return [404, 409, 410].includes(status) ? WORDS.codeWrong : WORDS.unreachable;
}

function textOf(error: unknown): string {
  if (error instanceof Impatience) return error.message;
  if (error instanceof CameraError) return WORDS.advice[error.reason] ?? WORDS.failed;
  return error instanceof ApiError ? refusal(error) : WORDS.unreachable;
}

/** No good picture came in time; the message is the last advice. */
class Impatience extends Error {}

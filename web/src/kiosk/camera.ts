/** The browser's camera: frames go to the api of the same shop, one at a time, and are kept nowhere. */

const WIDTH = 480;
const QUALITY = 0.8;
const NEW_MS = 2000;

/** Why there is no picture. */
export class CameraError extends Error {
  override readonly name = "CameraError";
  constructor(readonly reason: "noAccess" | "noStart" | "noPicture") {
    super(reason);
  }
}

function end(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

/** A camera that can be switched on and off. */
export class Camera {
  readonly video = document.createElement("video");
  private readonly canvas = document.createElement("canvas");
  private stream: MediaStream | undefined;
  /** Which start this is: one that was stopped meanwhile ends what it gets. */
  private session = 0;
  private starting: Promise<void> | undefined;
  /** The camera was unplugged, or taken away. */
  onLost: () => void = () => undefined;

  constructor() {
    this.video.muted = true;
    this.video.playsInline = true;
    this.video.setAttribute("aria-hidden", "true");
    // A video that leaves the page is paused by the browser; its frozen last picture would keep a shopper "there".
    this.video.addEventListener("pause", () => {
      if (this.stream) this.video.play().catch(() => undefined);
    });
  }

  /** Whether it records now. */
  get on(): boolean {
    return this.stream !== undefined;
  }

  /** Switch on; throws a CameraError. Where it was switched off before it was on, it stays off. */
  async start(): Promise<void> {
    if (this.stream) return;
    this.starting ??= this.open(++this.session);
    await this.starting;
  }

  private async open(session: number): Promise<void> {
    const current = (): boolean => session === this.session;
    try {
      await this.take(current);
    } catch (error) {
      if (!current()) return;
      this.stop();
      throw error instanceof CameraError ? error : new CameraError("noStart");
    }
    if (current()) this.starting = undefined;
  }

  private async take(current: () => boolean): Promise<void> {
    if (!navigator.mediaDevices) throw new CameraError("noAccess");
    const stream = await navigator.mediaDevices.getUserMedia({
      video: { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: "user" },
    });
    if (!current()) return end(stream);
    this.stream = stream;
    for (const track of stream.getTracks()) track.addEventListener("ended", () => this.lost(stream));
    this.video.srcObject = stream;
    await this.video.play();
  }

  private lost(stream: MediaStream): void {
    if (stream !== this.stream) return;
    this.stop();
    this.onLost();
  }

  /** Switch off. */
  stop(): void {
    const { stream } = this;
    this.session++;
    this.starting = undefined;
    this.stream = undefined;
    if (stream) end(stream);
    this.video.srcObject = null;
  }

  /** One frame as JPEG. */
  async frame(width = WIDTH): Promise<Blob> {
    const { videoWidth, videoHeight } = this.video;
    if (!this.on || videoWidth === 0) throw new CameraError("noPicture");
    const size = Math.min(width, videoWidth);
    this.canvas.width = size;
    this.canvas.height = Math.round((size * videoHeight) / videoWidth);
    this.canvas.getContext("2d")?.drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height);
    return new Promise((resolve, reject) => {
      this.canvas.toBlob(
        (blob) => (blob ? resolve(blob) : reject(new CameraError("noPicture"))),
        "image/jpeg",
        QUALITY,
      );
    });
  }
}

/** What the api says of a frame, as far as it sets the pace. */
export interface Seen {
  readonly observation?: { readonly people: number; readonly recognised: boolean; readonly dwell_ms: number } | null;
}

/** Somebody is new here, and may be known in a moment. */
const isNew = (said: Seen): boolean => {
  const { people = 0, recognised = false, dwell_ms = 0 } = said.observation ?? {};
  return people > 0 && !recognised && dwell_ms < NEW_MS;
};

/** Sends frames about `fps` times a second, never two at once: a slow answer lowers the rate by itself. Who is new is looked at twice as often. */
export class FrameLoop {
  paused = false;
  private running = false;

  constructor(
    private readonly camera: Camera,
    private readonly send: (frame: Blob) => Promise<Seen>,
    private readonly fps = 5,
  ) {}

  /** Start sending. */
  start(): void {
    if (this.running) return;
    this.running = true;
    void this.run();
  }

  /** Stop sending. */
  stop(): void {
    this.running = false;
  }

  private async run(): Promise<void> {
    while (this.running) {
      const began = performance.now();
      const fps = !this.paused && !document.hidden && (await this.once()) ? 2 * this.fps : this.fps;
      const left = 1000 / fps - (performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, left)));
    }
  }

  /** Send a frame; whether somebody is new. */
  private async once(): Promise<boolean> {
    try {
      return isNew(await this.send(await this.camera.frame()));
    } catch {
      // The newest frame is the only one that counts: a lost one is not sent again.
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return false;
    }
  }
}

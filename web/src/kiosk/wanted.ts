/** Keeps the camera on for as long as it is wanted: one that was unplugged, or is not there yet, is asked for again. */
import { type Camera, CameraError, type FrameLoop } from "./camera.ts";

const FIRST_MS = 1000;
const LAST_MS = 30_000;

/** A camera with its frames, switched on and off by people. */
export class WantedCamera {
  /** Whether it shall be on, be it there or not. */
  wanted = false;
  /** Why there is no picture. */
  trouble: CameraError["reason"] | undefined;
  private again: ReturnType<typeof setTimeout> | undefined;
  private wait = FIRST_MS;

  constructor(
    private readonly camera: Camera,
    private readonly loop: FrameLoop,
    private readonly changed: () => void,
  ) {
    camera.onLost = () => {
      this.loop.stop();
      this.failed("noPicture");
      this.changed();
    };
  }

  /** Switch it on, or off. */
  async set(on: boolean): Promise<void> {
    clearTimeout(this.again);
    this.again = undefined;
    this.wait = FIRST_MS;
    this.wanted = on;
    this.trouble = undefined;
    if (on) await this.start();
    else this.stop();
    this.changed();
  }

  /** See to it that what is wanted is on, when somebody else has switched it off. */
  look(): void {
    if (this.wanted && !this.camera.on && this.again === undefined && !this.trouble)
      void this.start().then(this.changed);
  }

  private stop(): void {
    this.camera.stop();
    this.loop.stop();
  }

  private async start(): Promise<void> {
    try {
      await this.camera.start();
    } catch (error) {
      this.failed(error instanceof CameraError ? error.reason : "noStart");
      return;
    }
    if (!this.wanted || !this.camera.on) return;
    this.wait = FIRST_MS;
    this.trouble = undefined;
    this.loop.start();
  }

  private failed(reason: CameraError["reason"]): void {
    this.trouble = reason;
    if (reason === "noAccess") this.wanted = false; // this page may have none, however often it asks
    if (!this.wanted) return;
    clearTimeout(this.again);
    this.again = setTimeout(() => {
      this.again = undefined;
      void this.start().then(this.changed);
    }, this.wait);
    this.wait = Math.min(2 * this.wait, LAST_MS);
  }
}

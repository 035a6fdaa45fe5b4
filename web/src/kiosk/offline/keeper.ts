/** Everything that lets a kiosk go on while the api is away, in one hand. */
import type { DisplayState } from "../../api/types.ts";
import type { Device } from "../api.ts";
import { Outbox } from "./outbox.ts";
import { Playlist } from "./playlist.ts";
import { Recorder } from "./plays.ts";
import { register, unregister } from "./register.ts";
import { Store } from "./store.ts";

const SEND_MS = 20_000;
const CONFIRM_MS = 60_000;

/** One kiosk's copy, proofs and wishes. */
export class Keeper {
  readonly playlist = new Playlist();
  readonly recorder: Recorder;
  readonly outbox: Outbox;
  private shown: DisplayState | undefined;
  private sentAt = 0;

  constructor(device: Device) {
    const store = new Store(`aisle-kiosk:${device.kiosk}`);
    this.recorder = new Recorder(store, () => this.played());
    this.outbox = new Outbox(device, store, () => this.recorder.open);
    setInterval(() => this.shown && this.playlist.confirm(this.shown), CONFIRM_MS);
  }

  /** Find what an earlier page has kept, and have this page there when the api is not. */
  async start(onNew: () => void): Promise<void> {
    await this.playlist.open();
    void register(onNew);
  }

  /** The api shows this now. */
  confirm(state: DisplayState): void {
    this.shown = state;
    this.playlist.confirm(state);
  }

  /** There is a connection again, or none any more. */
  connected(on: boolean): void {
    if (!on) this.shown = undefined;
    else void this.outbox.send();
  }

  /** The api does not take this kiosk any more: nothing is played, nothing stays in the caches. */
  async refused(): Promise<void> {
    this.shown = undefined;
    await this.playlist.empty();
    await unregister().catch(() => undefined);
  }

  private played(): void {
    if (!this.shown || Date.now() - this.sentAt < SEND_MS) return;
    this.sentAt = Date.now();
    void this.outbox.send();
  }
}

import { render } from "lit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DisplayState, KioskMode } from "../src/api/types.ts";
import { enrol, isAnswer, isCodeProblem } from "../src/kiosk/api.ts";
import { Camera, CameraError, FrameLoop } from "../src/kiosk/camera.ts";
import { type Enrolment, next } from "../src/kiosk/enrolment.ts";
import { enrolmentScreen } from "../src/kiosk/enrolment-screens.ts";
import { Flow } from "../src/kiosk/flow.ts";
import { cameraSheet, forgetSheet, privacyText, whySheet } from "../src/kiosk/privacy.ts";
import { EventStream, SILENCE_MS } from "../src/kiosk/stream.ts";
import { WantedCamera } from "../src/kiosk/wanted.ts";
import { WORDS } from "../src/kiosk/words.ts";
import { item } from "./help.ts";

const nothing = (): void => undefined;
const DEVICE = { kiosk: "door", key: "dk_1" };

/** A stream with one track that a test can end. */
class Track extends EventTarget {
  readonly stop = vi.fn();
}
const streamOf = (track: Track): MediaStream => ({ getTracks: () => [track] }) as unknown as MediaStream;

function cameras(getUserMedia: () => Promise<MediaStream>): Camera {
  Object.defineProperty(navigator, "mediaDevices", { value: { getUserMedia }, configurable: true });
  const camera = new Camera();
  Object.defineProperty(camera.video, "srcObject", { value: null, writable: true });
  vi.spyOn(camera.video, "play").mockResolvedValue();
  return camera;
}

describe("the camera", () => {
  it("stays off when it was switched off before it was on", async () => {
    const track = new Track();
    let give: (stream: MediaStream) => void = nothing;
    const camera = cameras(() => new Promise((resolve) => (give = resolve)));
    const starting = camera.start();
    camera.stop();
    give(streamOf(track));
    await starting;
    expect(camera.on).toBe(false);
    expect(track.stop).toHaveBeenCalled();
  });

  it("is off, and says so, when it was unplugged", async () => {
    const track = new Track();
    const camera = cameras(() => Promise.resolve(streamOf(track)));
    camera.onLost = vi.fn();
    await camera.start();
    expect(camera.on).toBe(true);
    track.dispatchEvent(new Event("ended"));
    expect(camera.on).toBe(false);
    expect(camera.onLost).toHaveBeenCalledOnce();
  });

  it("is off when its picture cannot be played", async () => {
    const track = new Track();
    const camera = cameras(() => Promise.resolve(streamOf(track)));
    vi.spyOn(camera.video, "play").mockRejectedValue(new Error("not allowed"));
    await expect(camera.start()).rejects.toBeInstanceOf(CameraError);
    expect(camera.on).toBe(false);
    expect(track.stop).toHaveBeenCalled();
  });

  it("is not left on by somebody who leaves the enrolment while it starts", async () => {
    const track = new Track();
    let give: (stream: MediaStream) => void = nothing;
    const camera = cameras(() => new Promise((resolve) => (give = resolve)));
    const flow = new Flow(DEVICE, camera, new FrameLoop(camera, () => Promise.resolve({})), nothing);
    flow.tell({ what: "start", asksExpression: false });
    flow.tell({ what: "yes" });
    for (const digit of "482913") flow.tell({ what: "digit", digit });
    flow.tell({ what: "next" });
    expect(flow.state?.step).toBe("capture");
    flow.tell({ what: "leave" });
    give(streamOf(track));
    await vi.waitFor(() => expect(track.stop).toHaveBeenCalled());
    expect([camera.on, flow.state]).toEqual([false, undefined]);
  });
});

describe("a camera that is wanted", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** A camera that is plugged in or not, as `there` says, and how often it was asked for. */
  function plugged(): {
    wanted: WantedCamera;
    camera: Camera;
    there: { now: boolean; track: Track; asked: number };
    running: () => boolean;
  } {
    const there = { now: true, track: new Track(), asked: 0 };
    const camera = cameras(() => {
      there.asked++;
      there.track = new Track();
      return there.now ? Promise.resolve(streamOf(there.track)) : Promise.reject(new Error("NotFoundError"));
    });
    const loop = new FrameLoop(camera, () => Promise.resolve({}));
    let runs = false;
    vi.spyOn(loop, "start").mockImplementation(() => {
      runs = true;
    });
    vi.spyOn(loop, "stop").mockImplementation(() => {
      runs = false;
    });
    return { wanted: new WantedCamera(camera, loop, nothing), camera, there, running: () => runs };
  }

  it("is asked for again after 1, 2, 4 … 30 seconds, and looks on when it is plugged in again", async () => {
    const { wanted, camera, there, running } = plugged();
    await wanted.set(true);
    there.now = false;
    there.track.dispatchEvent(new Event("ended"));
    expect([camera.on, running(), wanted.trouble]).toEqual([false, false, "noPicture"]);
    const asked = [];
    for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
      await vi.advanceTimersByTimeAsync(seconds * 1000 - 1);
      asked.push(there.asked);
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(asked).toEqual([1, 2, 3, 4, 5, 6, 7]);
    there.now = true;
    await vi.advanceTimersByTimeAsync(30_000);
    expect([camera.on, running(), wanted.trouble]).toEqual([true, true, undefined]);
  });

  it("is asked for again where it was not there when the page began", async () => {
    const { wanted, camera, there } = plugged();
    there.now = false;
    await wanted.set(true);
    expect(wanted.trouble).toBe("noStart");
    there.now = true;
    await vi.advanceTimersByTimeAsync(1000);
    expect(camera.on).toBe(true);
  });

  it("stays off once somebody has switched it off, also while it is not there", async () => {
    const { wanted, camera, there } = plugged();
    await wanted.set(true);
    there.track.dispatchEvent(new Event("ended"));
    await wanted.set(false);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([camera.on, there.asked]).toEqual([false, 1]);
  });

  it("is back when an enrolment that had borrowed it is left", async () => {
    const { wanted, camera, there, running } = plugged();
    there.now = false;
    await wanted.set(true);
    there.now = true;
    await camera.start();
    await vi.advanceTimersByTimeAsync(1000);
    camera.stop();
    wanted.look();
    await vi.advanceTimersByTimeAsync(0);
    expect([camera.on, running()]).toEqual([true, true]);
  });
});

const sending = { code: "482913", expression: false } as Enrolment;
const json = (status: number, body: object): Response =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });

describe("an enrolment without an answer", () => {
  it("is asked about again under the same key, so that it is done once", async () => {
    const keys: (string | null)[] = [];
    const answers = [
      () => Promise.reject(new TypeError("gone")),
      () => Promise.resolve(json(201, { display_name: "Maya" })),
    ];
    vi.stubGlobal("fetch", (_url: string, init: RequestInit) => {
      keys.push(new Headers(init.headers).get("idempotency-key"));
      return answers.shift()?.();
    });
    expect(await enrol(DEVICE, sending, [])).toBe("Maya");
    expect(keys).toHaveLength(2);
    expect(keys[0]).toBe(keys[1]);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("is not asked again when the api said no", async () => {
    const ask = vi.fn(() => Promise.resolve(json(422, { title: "No", status: 422, code: "enrolment" })));
    vi.stubGlobal("fetch", ask);
    await expect(enrol(DEVICE, sending, [])).rejects.toThrow();
    expect(ask).toHaveBeenCalledOnce();
  });

  it("is not known to have failed where the api has done it, and lost its answer", async () => {
    const problem = { title: "Conflict", status: 409, code: "idempotency-answer-lost" };
    const ask = vi.fn(() => Promise.resolve(json(409, problem)));
    vi.stubGlobal("fetch", ask);
    const error: unknown = await enrol(DEVICE, sending, []).catch((thrown: unknown) => thrown);
    expect([isAnswer(error), isCodeProblem(error)]).toEqual([false, false]);
  });

  it("does not say that nothing was kept", () => {
    const failed = (unsure: boolean): string => {
      const before = { ...sending, step: "sending" } as Enrolment;
      const state = next(before, { what: "failed", text: "No answer.", code: false, unsure });
      const root = document.createElement("div");
      if (state) render(enrolmentScreen(state, document.createElement("video"), nothing), root);
      return root.textContent ?? "";
    };
    expect(failed(true)).toContain(WORDS.perhapsKept);
    expect(failed(true)).not.toContain(WORDS.kept);
    expect(failed(false)).toContain(WORDS.kept);
  });
});

const drawn = (template: unknown): string => {
  const root = document.createElement("div");
  render(template, root);
  return root.textContent ?? "";
};

describe("what a shopper is told of expressions", () => {
  const privacy = { camera: true, recognised: false, expression: true, text: "" };
  const state = (mode: KioskMode, expression: boolean, recognised = false): DisplayState => ({
    kiosk_id: "k",
    revision: 1,
    mode,
    privacy: { ...privacy, expression, recognised },
    headline: "",
    items: [item("p")],
    retailer: "Fresh & Co",
  });

  it("stands in the line at the top, and in whole sentences behind it", () => {
    expect(privacyText(privacy, false)).toBe(WORDS.cameraOnReads);
    expect(privacyText({ ...privacy, expression: false }, false)).toBe(WORDS.cameraOnNobody);
    expect(privacyText({ ...privacy, camera: false }, false)).toBe(WORDS.cameraOff);
    const sheet = (of: typeof privacy): string =>
      drawn(cameraSheet({ on: false, wanted: false }, of, "", "", nothing, nothing));
    expect(sheet(privacy)).toContain(WORDS.expressionNobody);
    expect(sheet({ ...privacy, recognised: true })).toContain(WORDS.expressionMember);
    expect(sheet({ ...privacy, expression: false })).not.toContain(WORDS.expressionNobody);
  });

  it.each([
    "calm",
    "help",
    "inspire",
  ] as const)("is why a screen is %s, and no popularity is claimed for it", (mode) => {
    const why = (expression: boolean): string => drawn(whySheet(state(mode, expression), nothing));
    expect(why(true)).toContain(mode === "inspire" ? WORDS.whyInspireReads : WORDS.whyCalmReads);
    expect(why(false)).toContain(mode === "inspire" ? WORDS.whyInspire : WORDS.whyCalm);
    expect(why(true).includes(WORDS.whyNobody)).toBe(mode === "inspire");
  });

  it("is said where posters are shown, too", () => {
    expect(drawn(whySheet(state("attract", true), nothing))).toContain(WORDS.expressionNobody);
  });
});

describe("forget me", () => {
  it("says for whom it counts where several are greeted", () => {
    expect(drawn(forgetSheet("", false, true, nothing, nothing))).toContain(WORDS.forgetAll);
    expect(drawn(forgetSheet("", false, false, nothing, nothing))).toContain(WORDS.forgetText);
  });
});

describe("a network that has gone silent", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("takes a screen that is somebody's own away within seconds", async () => {
    const states: boolean[] = [];
    const event = 'event: display\ndata: {"mode":"welcome"}\n\n';
    vi.stubGlobal("fetch", (_url: string, { signal }: RequestInit) => {
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(event));
          signal?.addEventListener("abort", () => controller.error(new Error("aborted")));
        },
      });
      return Promise.resolve(new Response(body));
    });
    const stream = new EventStream<unknown>("/display", "dk_1", "display", {
      onEvent: nothing,
      onState: (connected) => states.push(connected),
      onRefused: nothing,
    });
    await vi.waitFor(() => expect(states).toEqual([true]));
    await vi.advanceTimersByTimeAsync(SILENCE_MS - 1000);
    expect(states).toEqual([true]);
    await vi.advanceTimersByTimeAsync(1500);
    expect(states[1]).toBe(false);
    expect(SILENCE_MS).toBeLessThanOrEqual(6000);
    stream.close();
  });
});

import { afterEach, describe, expect, it, vi } from "vitest";
import { spoken } from "../src/widget/acts.ts";
import { canListen, hush, listen, readOut } from "../src/widget/speech.ts";

/** The browser's ear, as a test drives it. */
class Ear {
  static last: Ear;
  lang = "";
  onresult: ((event: { results: { transcript: string }[][] }) => void) | undefined;
  onerror: ((event: { error: string }) => void) | undefined;
  onend: (() => void) | undefined;
  start = vi.fn();
  stop = vi.fn(() => this.onend?.());
  constructor() {
    Ear.last = this;
  }
}

afterEach(() => vi.unstubAllGlobals());

describe("speaking", () => {
  it("writes what is understood so far, in the interface's language, until it is stopped", () => {
    vi.stubGlobal("SpeechRecognition", Ear);
    expect(canListen()).toBe(true);
    const [written, ended] = [vi.fn(), vi.fn()];
    const stop = listen("de", written, ended);
    expect([Ear.last.lang, Ear.last.start.mock.calls.length]).toEqual(["de", 1]);
    Ear.last.onresult?.({ results: [[{ transcript: "Hafer" }]] });
    Ear.last.onresult?.({ results: [[{ transcript: "Hafer" }], [{ transcript: "flocken" }]] });
    expect(written.mock.calls.flat()).toEqual(["Hafer", "Haferflocken"]);
    stop();
    expect(ended).toHaveBeenCalledWith({ text: "Haferflocken", error: "" });
  });

  it("tells a microphone that is not allowed from words that were not understood", () => {
    vi.stubGlobal("SpeechRecognition", Ear);
    for (const [error, told] of [
      ["not-allowed", "denied"],
      ["no-speech", "nothing"],
    ] as const) {
      const ended = vi.fn();
      listen("en", vi.fn(), ended);
      Ear.last.onerror?.({ error });
      Ear.last.onend?.();
      expect(ended).toHaveBeenCalledWith({ text: "", error: told });
    }
  });

  it("is not offered where the browser cannot listen", () => {
    vi.stubGlobal("SpeechRecognition", undefined);
    vi.stubGlobal("webkitSpeechRecognition", undefined);
    expect(canListen()).toBe(false);
  });
});

describe("reading aloud", () => {
  it("speaks the answer's language, and stops at once", () => {
    const [speak, cancel] = [vi.fn(), vi.fn()];
    vi.stubGlobal("speechSynthesis", { speak, cancel });
    vi.stubGlobal(
      "SpeechSynthesisUtterance",
      class {
        lang = "";
        constructor(readonly text: string) {}
      },
    );
    readOut("These fit.", "en");
    readOut("", "en");
    hush();
    expect(speak.mock.calls).toEqual([[{ text: "These fit.", lang: "en" }]]);
    expect(cancel).toHaveBeenCalledOnce();
  });
});

describe("what is spoken", () => {
  it.each([
    ["", "", "two", "two"],
    ["I want", "", "two", "I want two"],
    ["I want two", "two", "two bananas", "I want two bananas"],
    ["I want two now please", "two", "two bananas", "I want two bananas now please"],
    ["typed anew", "two", "two bananas", "typed anew two bananas"],
  ])("takes the place of what was heard before, and leaves what was typed: %s", (field, heard, text, held) => {
    expect(spoken(field, heard, text)).toBe(held);
  });
});

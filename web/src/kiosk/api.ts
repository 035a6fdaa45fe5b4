/** What a kiosk asks of the api, by device key. */
import { ApiError, fetchJson } from "../api/http.ts";
import { uuid7 } from "../lib/uuid.ts";
import type { Seen } from "./camera.ts";
import { CONSENT_VERSION, type Enrolment } from "./enrolment.ts";
import { language, WORDS } from "./words.ts";

/** Which kiosk this is. */
export interface Device {
  readonly kiosk: string;
  readonly key: string;
}

const path = (kiosk: string, rest: string): string => `/v1/kiosks/${encodeURIComponent(kiosk)}/${rest}`;
const auth = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

/** Where the display state comes from. */
export const displayUrl = ({ kiosk }: Device): string => path(kiosk, "display");

/** Let the api look at one frame. */
export function sendFrame({ kiosk, key }: Device, frame: Blob): Promise<Seen> {
  const headers = { ...auth(key), "content-type": "image/jpeg" };
  return fetchJson(path(kiosk, "frames"), { method: "POST", headers, body: frame }, 5000);
}

/** What to change about a picture before it is good enough; empty when it is. */
export async function coach({ kiosk, key }: Device, frame: Blob): Promise<string> {
  const headers = { ...auth(key), "content-type": "image/jpeg" };
  const said = await fetchJson<{ advice: string; code?: string }>(
    path(kiosk, "enrolments/looks"),
    { method: "POST", headers, body: frame },
    5000,
  );
  return said.advice && (WORDS.advice[said.code ?? ""] ?? said.advice);
}

interface Enrolled {
  readonly display_name: string;
  readonly first_name?: string;
}

/** Enrol; answers with the name to greet. */
export async function enrol({ kiosk, key }: Device, flow: Enrolment, frames: readonly Blob[]): Promise<string> {
  const form = new FormData();
  form.set("code", flow.code);
  form.set("consent_text_version", `${CONSENT_VERSION}-${language}`);
  form.set("consents", flow.expression ? "face_recognition,expression" : "face_recognition");
  frames.forEach((frame, index) => {
    form.append("frames", frame, `frame-${index + 1}.jpg`);
  });
  const headers = { ...auth(key), "idempotency-key": uuid7() }; // sent again, it is answered again, and done once
  const ask = (): Promise<Enrolled> =>
    fetchJson<Enrolled>(path(kiosk, "enrolments"), { method: "POST", headers, body: form }, 20_000);
  const enrolled = await ask().catch((error: unknown) => {
    if (isAnswer(error)) throw error;
    return ask();
  });
  return enrolled.first_name ?? enrolled.display_name;
}

const UNKNOWN = new Set(["idempotency-key-in-use", "idempotency-answer-lost"]);

/** Whether the api said that it did not do what was asked; without such an answer nobody knows. */
export function isAnswer(error: unknown): boolean {
  if (!(error instanceof ApiError) || UNKNOWN.has(error.problem.code ?? "")) return false;
  return error.status < 500 || error.status === 503;
}

/** Whether a failed enrolment was about the code, and not about the pictures. */
export function isCodeProblem(error: unknown): boolean {
  if (!(error instanceof ApiError) || !isAnswer(error)) return false;
  return [404, 409, 410].includes(error.status);
}

/** Which kiosk a page address names, with its key after `#`, which browsers send to nobody. */
export function deviceOf({ pathname, hash }: URL): Device | undefined {
  const kiosk = /\/kiosk\/([^/]+)\/?$/.exec(pathname)?.[1];
  const key = new URLSearchParams(hash.slice(1)).get("key");
  return kiosk && key ? { kiosk: decodeURIComponent(kiosk), key } : undefined;
}

/** The address with its key after `#`, where an older one has it before. */
export function keyKept(url: URL): URL {
  const key = url.searchParams.get("key");
  if (key === null) return url;
  const kept = new URL(url);
  kept.searchParams.delete("key");
  kept.hash = new URLSearchParams({ key }).toString();
  return kept;
}

/** The kiosk of a demo, when the page's address names none. */
export async function demoDevice(): Promise<Device | undefined> {
  const found = await fetchJson<{ url: string }>("/demo/kiosk").catch(() => undefined);
  return found ? deviceOf(new URL(found.url)) : undefined;
}

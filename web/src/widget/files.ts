/** Files in a conversation: what may be sent, and showing what was. */
import type { Session } from "../api/session.ts";
import { readFile } from "../api/shopper.ts";
import type { Attachment } from "../api/types.ts";
import { ACCEPTED } from "./view/composer.ts";
import type { Words } from "./words/en.ts";

const MOST_BYTES = 3_500_000;
const WIDEST = 480;

/** Why a file cannot be sent; empty when it can. */
export function refusal(file: File, words: Words): string {
  if (!ACCEPTED.split(",").includes(file.type)) return words.attachType;
  return file.size > MOST_BYTES ? words.attachTooLarge("3.5 MB") : "";
}

/** A phone's picture made small enough to send; it also loses where and when it was taken. Others stay as they are. */
export async function shrunk(file: File, widest = 2000): Promise<File> {
  if (!file.type.startsWith("image/") || typeof createImageBitmap === "undefined") return file;
  try {
    const image = await createImageBitmap(file);
    const scale = Math.min(1, widest / Math.max(image.width, image.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(image.width * scale);
    canvas.height = Math.round(image.height * scale);
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
    return blob ? new File([blob], `${file.name.replace(/\.\w+$/, "")}.jpg`, { type: "image/jpeg" }) : file;
  } catch {
    return file;
  }
}

/** Draw a picture that was sent; once per canvas. */
export async function draw(session: Session, file: Attachment, canvas: HTMLCanvasElement): Promise<void> {
  if (canvas.dataset.file === file.attachment_id) return;
  canvas.dataset.file = file.attachment_id;
  try {
    const image = await createImageBitmap(await readFile(session, file));
    const scale = Math.min(1, WIDEST / image.width);
    canvas.width = Math.round(image.width * scale);
    canvas.height = Math.round(image.height * scale);
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.dataset.drawn = "";
  } catch {
    canvas.dataset.file = "";
  }
}

/** Open a file that was sent in a window of its own. */
export async function openFile(session: Session, file: Attachment): Promise<void> {
  const address = URL.createObjectURL(await readFile(session, file));
  window.open(address, "_blank", "noopener");
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

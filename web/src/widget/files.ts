/** Files in a conversation: what may be sent, and showing what was. */
import { ACCEPTED } from "./view/composer.ts";
import type { Words } from "./words/en.ts";

const MOST_BYTES = 5_000_000;
const WIDEST = 480;

/** Why a file cannot be sent; empty when it can. */
export function refusal(file: File, words: Words): string {
  if (!ACCEPTED.split(",").includes(file.type)) return words.attachType;
  return file.size > MOST_BYTES ? words.attachTooLarge("5 MB") : "";
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
export async function draw(read: () => Promise<Blob>, id: string, canvas: HTMLCanvasElement): Promise<void> {
  if (canvas.dataset.file === id) return;
  canvas.dataset.file = id;
  try {
    const image = await createImageBitmap(await read());
    const scale = Math.min(1, WIDEST / image.width);
    canvas.width = Math.round(image.width * scale);
    canvas.height = Math.round(image.height * scale);
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.dataset.drawn = "";
  } catch {
    canvas.dataset.file = "";
  }
}

/** Save a file that was sent; what a stranger made is never opened on the page's own origin. */
export async function saveFile(read: () => Promise<Blob>, name: string): Promise<void> {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([await read()], { type: "application/octet-stream" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

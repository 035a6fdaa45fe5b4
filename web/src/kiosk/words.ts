/** The kiosk's own words. At most 12 on a line and 40 on a screen. */
import { SHOTS } from "./enrolment.ts";

export const WORDS = {
  enrol: "Be greeted by name",
  notMe: "Not me",
  forgetMe: "Forget me",
  why: "Why this?",
  whyTitle: "Why you see this",
  whyRecognised:
    "You agreed to be recognised here; your face was compared with a list of numbers, and no picture is kept.",
  whyNobody: "Nobody is recognised: this is what people here like.",
  forgetTitle: "Forget your face?",
  forgetText: "We delete the list of numbers at once, and will not recognise you again. Your account stays.",
  forgetYes: "Yes, forget me",
  forgotten: "Forgotten. Nobody recognises you here any more.",
  forgetFailed: "That did not reach the shop. Please try again, or tell a colleague.",
  hello: "Hello",
  offline: "Offline. Trying to reconnect.",
  offlineHeadline: "We will be right back",
  notSetUp: "This screen is not set up yet",
  notSetUpHow: "Open it with its device key: /kiosk/NAME?key=…",
  refused: "This device key is not valid here",
  refusedHow: "Make a new one with: aisle kiosk create NAME",
  waiting: "Good to see you",
  cameraOn: "Camera on",
  cameraOnNobody: "Camera on, nobody recognised",
  recognised: "Camera on, you are recognised",
  cameraOff: "Camera off",
  cameraAbout: "Only people who said yes are recognised.",
  cameraStart: "Turn camera on",
  cameraStop: "Turn camera off",
  close: "Close",
  coupon: "Your coupon",
  off: (amount: string): string => `${amount} off`,
  couponHow: "Scan it, or show it at the till.",
  qr: (code: string): string => `QR code of coupon ${code}`,
  was: "Regular price",
  consentTitle: "May we recognise you next time?",
  consentText:
    "Three pictures become an encrypted list of numbers; the pictures are deleted. You can take this back in the chat.",
  yes: "Yes",
  no: "No",
  codeTitle: "Enter your six digits",
  codeText: "Get them in the chat or the online shop: “Pair with kiosk”.",
  codeLabel: (count: number): string => `${count} of 6 digits entered`,
  erase: "Delete last digit",
  next: "Next",
  leave: "Leave",
  expressionTitle: "May we also notice if you look unhappy?",
  expressionText: "Then we keep it short and offer help. It works without, too.",
  prompts: ["Look at the screen", "Turn a little to one side", "Now to the other side"],
  getReady: "Look at the screen",
  shot: (count: number): string => `${count} of ${SHOTS} pictures`,
  sending: "One moment",
  done: (name: string): string => `Nice to meet you, ${name}`,
  doneText: "Next time we greet you here. To be forgotten, touch “Forget me”, here or in the chat.",
  finish: "Done",
  failed: "That did not work",
  kept: "Nothing was kept.",
  again: "Try again",
  unreachable: "The shop's server did not answer. Please try again in a minute.",
} as const;

/** A product's name without its package size, to be read in passing. */
export const shortName = (name: string): string => name.replace(/,\s*[\d.]+[^,]*$/, "");

/** How many words a shopper has to read. */
export const countWords = (...texts: readonly (string | undefined | null)[]): number =>
  texts.reduce((sum, text) => sum + (text?.trim() ? text.trim().split(/\s+/).length : 0), 0);

/** The reasons that still fit on a screen that already has `used` words, in the items' order. */
export function reasonsThatFit(reasons: readonly string[], used: number, most = 40): (string | undefined)[] {
  let total = used;
  return reasons.map((reason) => {
    const words = countWords(reason);
    if (total + words > most) return undefined;
    total += words;
    return reason;
  });
}

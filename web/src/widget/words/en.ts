/** Every word that the open chat says, in English; the other languages have the same keys. */

/** "3 min", "under a minute": how long somebody will wait. */
const wait = (minutes: number): string => (minutes < 1 ? "under a minute" : `about ${minutes} min`);

export const WORDS = {
  title: "Shop assistant",
  subtitle: "AI assistant. It can make mistakes.",
  close: "Close chat",
  menu: "More",
  placeholder: "Ask about products or offers",
  placeholderPerson: "Write a message",
  send: "Send message",
  log: "Conversation",
  typing: "The assistant is writing.",
  typingPerson: (name: string): string => `${name} is writing.`,
  you: "You",
  assistant: "Assistant",
  person: "Shop team",
  newMessages: "New message",

  add: "Add",
  added: "Added",
  addLabel: (name: string): string => `Add ${name} to basket`,
  addFailed: "This could not be put into the basket. Please try again.",
  why: "Why this?",
  was: "Regular price",
  more: (count: number): string => `Show ${count} more`,
  items: (count: number): string => (count === 1 ? "1 product shown." : `${count} products shown.`),
  couponTitle: "Your coupon",
  couponOff: (amount: string, name: string): string => `${amount} off ${name}`,
  couponUntil: (date: string): string => `Valid until ${date}`,
  copy: "Copy code",
  copied: "Copied",
  qr: (code: string): string => `QR code of coupon ${code}`,
  quickReplies: "Suggested answers",
  basket: "Basket",
  total: "Total",
  order: (number: string): string => `Order ${number}`,
  details: "More details",

  sending: "Sending",
  waiting: "Waits for the connection",
  delivered: "Delivered",
  read: "Read",
  notSent: "Not sent.",
  retry: "Try again",
  discard: "Discard",
  offline: "You are offline. What you write is kept and sent in order once you are back.",
  unreachable: "We can't reach the shop right now. What you write is kept and sent as soon as we can.",
  busy: "Many messages are coming in. Yours is next in a moment.",
  notOpen: "We can't reach the shop right now.",
  notOpenKept: "What you wrote before is kept. We keep trying.",

  attach: "Attach a picture or file",
  attachRemove: (name: string): string => `Remove ${name}`,
  attachTooLarge: (limit: string): string => `This file is too large. Up to ${limit} are possible.`,
  attachType: "Pictures (JPEG, PNG, WebP) and PDF files are possible.",
  attachment: (name: string): string => `File: ${name}`,
  picture: (name: string): string => `Picture: ${name}`,
  attachmentUnshown: "The file could not be loaded.",

  speak: "Speak",
  speakStop: "Stop listening",
  speakNotice: "Your browser turns what you say into text. Some browsers send the sound to their maker for that.",
  speakGo: "Speak now",
  speakFailed: "Nothing was understood. You can type instead.",
  speakDenied: "The microphone is not allowed here. You can type instead.",
  listening: "Listening",
  readAloud: "Read answers aloud",

  language: "Language",
  forget: "Forget this chat",
  forgetAsk: "Forget this chat?",
  forgetText: "All messages are deleted for good, here and at the shop. This cannot be undone.",
  forgetYes: "Delete for good",
  forgetNo: "Keep it",
  forgotten: "This chat is deleted, here and at the shop.",
  forgetFailed: "The shop could not be reached, so nothing was deleted yet. Please try again.",
  startAgain: "Start a new chat",

  queued: "You are waiting for a person.",
  position: (place: number): string => (place <= 1 ? "You are next." : `You are number ${place} in the queue.`),
  expected: (minutes: number): string => `Expected wait: ${wait(minutes)}.`,
  queuedKeep: "You can keep writing; they will read all of it.",
  joined: (name: string): string => `You are talking with ${name}.`,
  subtitlePerson: "From the shop's team",
  returned: "The assistant is back. Ask again for a person at any time.",
  closed: "Nobody is here right now. Leave a message and we will get back to you.",
  leaveText: "Your message",
  leaveContact: "E-mail or phone for the answer",
  leaveSend: "Leave message",
  leaveSent: "Thank you. Your message is with the team.",
  leaveMissing: "Please write a message and how we can reach you.",

  rate: "How was this chat?",
  rateScale: (score: number): string => ["Very bad", "Bad", "All right", "Good", "Very good"][score - 1] ?? "",
  rateComment: "What should we do better? (optional)",
  rateSend: "Send rating",
  rateSkip: "Not now",
  rated: "Thank you, that helps.",
};

/** What every language has. */
export type Words = typeof WORDS;

const BOUGHT = "Based on what you bought here before.";
const HERE = "Based on the store that you are in.";

/** What a reason is based on, by its code. */
export const BASED_ON: Readonly<Record<string, string>> = {
  due_again: BOUGHT,
  repeat_purchase: BOUGHT,
  bought_before: BOUGHT,
  similar_taste: "Based on what shoppers with similar baskets buy.",
  your_kind: BOUGHT,
  goes_with: BOUGHT,
  popular: "Based on what all households buy.",
  popular_here: HERE,
  promoted: HERE,
  matches_query: "Based on the words you wrote.",
};

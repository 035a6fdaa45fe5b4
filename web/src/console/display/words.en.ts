import type { Group } from "./groups.ts";

const GROUPS: readonly Group[] = [
  {
    title: "Calm",
    about: "Little, still and helpful, for somebody who looks unhappy.",
    fields: {
      "calm.below": "They look unhappy below",
      "calm.after": "… for at least",
      "calm.until": "They feel better above",
      "calm.for": "… for at least",
    },
  },
  {
    title: "Help",
    about: "A person is offered.",
    fields: {
      "help.after_calm": "Calm did not help for",
      "help.after_dwell": "Or not at ease after",
    },
  },
  {
    title: "More to discover",
    about: "For somebody who stays and likes it.",
    fields: {
      "inspire.above": "They look pleased above",
      "inspire.after": "… for at least",
      "inspire.dwell": "Or they have stayed for",
    },
  },
  {
    title: "Changing screens",
    about: "What is personal always goes at once.",
    fields: {
      leaving: "Nobody is there for",
      shortest: "A screen stays for at least",
    },
  },
];

export const en = {
  groups: GROUPS,
  modes: { attract: "Posters", welcome: "Welcome", inspire: "Discover", calm: "Calm", help: "Help" } as Record<
    string,
    string
  >,
  title: "When does a kiosk change its screen?",
  about: "Turn a slider: a made visit is played again at once. Kiosks follow what is saved within two seconds.",
  preview: "What would this visit look like?",
  visit: "Visit",
  visitAbout: "Made visits, with the noise of a camera.",
  screens: "Screens, in order",
  from: "From",
  to: "To",
  screen: "Screen",
  why: "Why",
  look: "How they look, from unhappy (−1) to happy (1)",
  bounds: { "calm.below": "unhappy", "calm.until": "better", "inspire.above": "pleased" } as Record<string, string>,
  steady: "No screen flickers.",
  flickers: (count: number) => (count === 1 ? "1 screen flickers." : `${count} screens flicker.`),
  flickerAbout: "A screen that goes within 2.5 seconds although everybody is still there.",
  stale: "The picture shows the last values that go together.",
  note: "What changes, and why",
  save: "Save",
  undo: "Undo my changes",
  unchanged: "Nothing is changed.",
  changes: (count: number) => (count === 1 ? "1 value changed." : `${count} values changed.`),
  saved: (version: number) => `Version ${version} is saved. Kiosks follow it within two seconds.`,
  history: "What was saved before?",
  empty: "Nothing yet. The first version that you save appears here.",
  version: "Version",
  by: "By",
  when: "When",
  inUse: "In use",
  restore: "Go back to this",
  restoreLabel: (version: number) => `Go back to version ${version}`,
  again: (version: number) => `as version ${version}`,
  was: (value: string) => `was ${value}`,
  seconds: (value: string) => `${value} s`,
};
export type DisplayWords = typeof en;

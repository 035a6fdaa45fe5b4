/** What the page of creatives says. */

export const STATES: Readonly<Record<string, string>> = {
  proposed: "waits for you",
  approved: "approved",
  rejected: "rejected",
  retired: "retired",
};

export const WORDS = {
  title: "Creatives",
  signIn: "Approve creatives",
  key: "API key",
  keyHow: "One with the scope “creatives”. It stays in this tab.",
  name: "Your name, as the history shall tell it",
  start: "Start",
  leave: "Sign out",
  loading: "Loading …",
  campaign: "Campaign",
  noCampaign: "There is no campaign of creatives yet.",
  variants: "Variants",
  none: "Nothing was proposed yet.",
  draw: "Draw 12 more",
  approve: "Approve",
  reject: "Reject",
  retire: "Retire",
  policy: "the campaign’s policy",
  history: "Who decided what",
  columns: ["When", "Who", "What", "Of what", "Note"],
  family: (name: string) => `family ${name}`,
  looks: (family: string) => `A poster: ${family.replaceAll("/", ", ")}`,
  came: (shown: number, clicked: number) => `shown ${shown} times, ${clicked} clicks`,
  offline: "Aisle does not answer. Try again.",
  refused: "This key may not approve creatives.",
} as const;

/** The console's sections in the order of the menu: where they are, who may see them, and what loads them. */
import { type ComponentType, lazy } from "react";
import type { ShellWords } from "./shell/words.ts";

export interface Section {
  readonly id: keyof ShellWords["nav"];
  /** The scope that it takes. */
  readonly scope: string;
  /** Its pages: what follows /console/<id>, and the component. */
  readonly pages: Readonly<Record<string, ComponentType>>;
}

/** A page's module has it as `default`. */
const page = (load: () => Promise<{ default: ComponentType }>): ComponentType => lazy(load);

export const SECTIONS: readonly Section[] = [
  {
    id: "today",
    scope: "overview",
    pages: {
      "": page(() => import("./today/today.tsx")),
      definitions: page(() => import("./today/definitions.tsx")),
    },
  },
  {
    id: "customers",
    scope: "members:read",
    pages: {
      "": page(() => import("./customers/customers.tsx")),
      ":member": page(() => import("./customers/customer.tsx")),
    },
  },
  {
    id: "segments",
    scope: "members:read",
    pages: {
      "": page(() => import("./segments/segments.tsx")),
      new: page(() => import("./segments/build.tsx")),
      ":segment/edit": page(() => import("./segments/build.tsx")),
    },
  },
  {
    id: "campaigns",
    scope: "campaigns",
    pages: {
      "": page(() => import("./campaigns/campaigns.tsx")),
      new: page(() => import("./campaigns/editor.tsx")),
      "money/:campaign": page(() => import("./campaigns/money.tsx")),
      ":campaign": page(() => import("./campaigns/campaign.tsx")),
      ":campaign/edit": page(() => import("./campaigns/editor.tsx")),
    },
  },
  { id: "tuning", scope: "tuning", pages: { "": page(() => import("./tuning/tuning.tsx")) } },
  {
    id: "experiments",
    scope: "experiments",
    pages: {
      "": page(() => import("./experiments/experiments.tsx")),
      new: page(() => import("./experiments/plan.tsx")),
      ":experiment": page(() => import("./experiments/experiment.tsx")),
    },
  },
  { id: "creatives", scope: "creatives", pages: { "": page(() => import("./creatives/creatives.tsx")) } },
  {
    id: "inbox",
    scope: "agents",
    pages: { "": page(() => import("./inbox/inbox.tsx")), ":handoff": page(() => import("./inbox/inbox.tsx")) },
  },
  { id: "stores", scope: "kiosks", pages: { "": page(() => import("./stores/stores.tsx")) } },
  { id: "display", scope: "display", pages: { "": page(() => import("./display/display.tsx")) } },
  { id: "trust", scope: "audit", pages: { "": page(() => import("./trust/trust.tsx")) } },
  { id: "accounts", scope: "accounts", pages: { "": page(() => import("./accounts/accounts.tsx")) } },
];

/** Pages that others lead to, in no menu: their address and what loads them. */
export const LINKED: Readonly<Record<string, ComponentType>> = {
  account: page(() => import("./accounts/profile.tsx")),
  "decisions/:decision": page(() => import("./decisions/decision.tsx")),
};

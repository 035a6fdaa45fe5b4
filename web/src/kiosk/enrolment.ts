/** The enrolment flow as a pure function: what happened, what is on the screen next. */

export type Step = "consent" | "code" | "expression" | "capture" | "sending" | "done" | "failed";

/** Where the flow is. Undefined means that nobody is enrolling. */
export interface Enrolment {
  readonly step: Step;
  readonly code: string;
  readonly expression: boolean;
  /** Whether expressions are read in this shop at all, so that somebody may be asked about theirs. */
  readonly asksExpression: boolean;
  readonly shots: number;
  readonly countdown: number;
  readonly text: string;
  /** Whether nobody can tell if the template was kept: the api did not answer. */
  readonly unsure: boolean;
  readonly name: string;
}

export type Happening =
  | { readonly what: "start"; readonly asksExpression?: boolean }
  | { readonly what: "yes" | "no" | "erase" | "next" | "again" | "leave" }
  | { readonly what: "digit"; readonly digit: string }
  | { readonly what: "expression"; readonly granted: boolean }
  | { readonly what: "countdown"; readonly left: number }
  | { readonly what: "shot"; readonly count: number }
  | { readonly what: "advice"; readonly text: string }
  | { readonly what: "sent"; readonly name: string }
  | { readonly what: "failed"; readonly text: string; readonly code: boolean; readonly unsure?: boolean };

/** The version of the consent's words, kept with the consent and the language. Change it when they change. */
export const CONSENT_VERSION = "kiosk-face-3";
export const CODE_LENGTH = 6;
/** Good pictures that make a template; what is not good enough is told, and taken again. */
export const SHOTS = 3;

const BLANK: Enrolment = {
  step: "consent",
  code: "",
  expression: false,
  asksExpression: true,
  shots: 0,
  countdown: 0,
  text: "",
  unsure: false,
  name: "",
};

/** The state after `happening`; a happening that does not fit the step changes nothing. */
export function next(state: Enrolment | undefined, happening: Happening): Enrolment | undefined {
  if (happening.what === "start") return { ...BLANK, asksExpression: happening.asksExpression ?? true };
  if (!state || happening.what === "leave") return undefined;
  switch (state.step) {
    case "consent":
      return happening.what === "yes" ? { ...state, step: "code" } : happening.what === "no" ? undefined : state;
    case "code":
      return typing(state, happening);
    case "expression":
      return happening.what === "expression"
        ? { ...state, step: "capture", expression: happening.granted, shots: 0 }
        : state;
    case "capture":
      return capturing(state, happening);
    case "sending":
      return answered(state, happening);
    case "failed":
      return happening.what === "again" ? { ...state, step: "capture", shots: 0, text: "", unsure: false } : state;
    default:
      return state;
  }
}

function typing(state: Enrolment, happening: Happening): Enrolment {
  if (happening.what === "digit" && /^\d$/.test(happening.digit) && state.code.length < CODE_LENGTH) {
    return { ...state, code: state.code + happening.digit, text: "" };
  }
  if (happening.what === "erase") return { ...state, code: state.code.slice(0, -1), text: "" };
  if (happening.what === "next" && state.code.length === CODE_LENGTH) {
    return { ...state, step: state.asksExpression ? "expression" : "capture" };
  }
  return state;
}

function capturing(state: Enrolment, happening: Happening): Enrolment {
  if (happening.what === "countdown") return { ...state, countdown: happening.left };
  if (happening.what === "shot") {
    return { ...state, shots: happening.count, text: "", step: happening.count >= SHOTS ? "sending" : "capture" };
  }
  if (happening.what === "advice") return { ...state, text: happening.text };
  return happening.what === "failed" ? { ...state, step: "failed", text: happening.text } : state;
}

function answered(state: Enrolment, happening: Happening): Enrolment {
  if (happening.what === "sent") return { ...state, step: "done", name: happening.name, code: "" };
  if (happening.what !== "failed") return state;
  return happening.code
    ? { ...state, step: "code", code: "", text: happening.text }
    : { ...state, step: "failed", text: happening.text, unsure: happening.unsure ?? false };
}

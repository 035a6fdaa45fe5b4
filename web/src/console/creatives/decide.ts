/** Decisions about posters, made by what the person saw. */
import { ApiError } from "../../api/http.ts";
import { type Answer, onlyIf, readAll, send } from "../client.ts";
import { overtaken } from "../kit/index.ts";

const APPROVALS = "/v1/creative-campaigns/{campaign_id}/approvals";
export type Step = Answer<typeof APPROVALS, "get">["steps"][number];
export type Variant = Answer<"/v1/creative-campaigns/{campaign_id}/variants", "get">["variants"][number];
export type Decision = "approved" | "rejected" | "retired";

/** What a gallery shows. The history is read first: what it may miss is then looked at again, and nothing counts as seen that was not. */
export async function readGallery(
  campaign: string,
): Promise<{ readonly steps: readonly Step[]; readonly variants: readonly Variant[] }> {
  const init = { params: { path: { campaign_id: campaign } } };
  const { steps } = await readAll(APPROVALS, "steps", init);
  const { variants } = await readAll("/v1/creative-campaigns/{campaign_id}/variants", "variants", init);
  return { steps, variants };
}

interface Decided {
  readonly state: Decision;
  /** A variant's id, or a family's name. */
  readonly subject: string;
  readonly ofFamily: boolean;
  readonly by: string;
}

/**
 * Write a decision. Several people may go through one queue: what a colleague decided about other posters makes no difference,
 * what they decided about one of these is told (ApiError 412) and nothing is written.
 */
export async function decide(
  campaign: string,
  seen: { readonly steps: readonly Step[]; readonly variants: readonly Variant[] },
  { state, subject, ofFamily, by }: Decided,
): Promise<void> {
  const path = { campaign_id: campaign };
  const about = ({ variant_id, family }: Variant): boolean => subject === (ofFamily ? family : variant_id);
  const same = new Set(seen.variants.filter(about).flatMap(({ variant_id, family }) => [variant_id, family]));
  let known = seen.steps.length;
  for (;;) {
    try {
      const header = onlyIf(`"approvals-${known}"`);
      await send("post", APPROVALS, {
        params: { path, header },
        body: { subject, state, of_family: ofFamily, by, note: "" },
      });
      return;
    } catch (error) {
      if (!overtaken(error as Error)) throw error;
      const { steps } = await readAll(APPROVALS, "steps", { params: { path } });
      const clash = steps.slice(known).findLast((step) => same.has(step.subject));
      if (clash) throw new ApiError(412, { ...(error as ApiError).problem, by: clash.by });
      if (steps.length <= known) throw error;
      known = steps.length;
    }
  }
}

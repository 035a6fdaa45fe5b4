/** What somebody is told whose new password is refused. */
import { ApiError } from "../../api/http.ts";

/** The words for why, in the language of the page; nothing where it was refused for something else. */
export function weakness(error: Error, weak: Readonly<Record<string, string>>): string | undefined {
  const reason = error instanceof ApiError && error.problem.code === "weak-password" ? error.problem.reason : undefined;
  return typeof reason === "string" ? weak[reason] : undefined;
}

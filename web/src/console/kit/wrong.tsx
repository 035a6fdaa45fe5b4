/** What could not be done, in the console's words; and the ways on where somebody else was faster. */
import { type ReactNode, useCallback } from "react";
import { ApiError, NetworkError } from "../../api/http.ts";
import { useWords } from "../language.tsx";
import { Button } from "./button.tsx";
import { useToast } from "./toast.tsx";
import { KIT_WORDS } from "./words.ts";

/** Whether somebody else changed it after it was read. */
export function overtaken(error: Error | null | undefined): error is ApiError {
  return error instanceof ApiError && error.status === 412;
}

/** Who was faster, where the api knows. */
const whoOf = (error: ApiError): string =>
  typeof error.problem.by === "string" ? `\u2068${error.problem.by}\u2069` : "";

/** What to say of an error after an act without words of one's own: the page reads anew by itself. */
export function useSaid(): (error: Error) => string {
  const words = useWords(KIT_WORDS);
  return useCallback(
    (error) => {
      if (overtaken(error)) return words.overtakenAct(whoOf(error));
      if (error instanceof NetworkError) return words.notSent;
      return error instanceof ApiError && error.status === 403 ? words.noRight : error.message;
    },
    [words],
  );
}

/** Tells of an act that failed: `onError: failed`. */
export function useFailed(): (error: Error) => void {
  const tell = useToast();
  const said = useSaid();
  return useCallback((error) => tell({ text: said(error), tone: "bad" }), [tell, said]);
}

interface WrongProps {
  readonly error: Error | null;
  /** Where somebody else was faster: let what they saved take the place of what is entered here. */
  readonly theirs?: (() => void) | undefined;
  /** Where somebody else was faster: keep what is entered here; `etag` lets the next attempt replace theirs. */
  readonly mine?: ((etag: string | undefined) => void) | undefined;
}

/** Stands above the button of a form that could not be sent: what happened, what was kept, and what to do. */
export function Wrong({ error, theirs, mine }: WrongProps): ReactNode {
  const words = useWords(KIT_WORDS);
  const said = useSaid();
  if (!error) return null;
  if (!overtaken(error) || !(theirs || mine))
    return (
      <p className="react-aria-FieldError" role="alert">
        {said(error)}
      </p>
    );
  return (
    <div className="trouble" role="alert">
      <p>
        <strong>{words.overtaken(whoOf(error))}</strong> {words.overtakenKept}
      </p>
      <div className="row">
        {theirs && <Button onPress={theirs}>{words.theirs}</Button>}
        {mine && <Button onPress={() => mine(error.etag)}>{words.mine}</Button>}
      </div>
    </div>
  );
}

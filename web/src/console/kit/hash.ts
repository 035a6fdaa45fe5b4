/** A link may name a part of a page, which is there only once its data has come. */
import { useEffect } from "react";
import { useLocation } from "react-router";

/** Bring the part that the address names into sight, and the focus to it, as soon as it is there. */
export function useHash(there: boolean): void {
  const { hash, key } = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: whoever follows the same link again wants to see it again
  useEffect(() => {
    const wanted = there && hash ? document.getElementById(hash.slice(1)) : null;
    wanted?.scrollIntoView({ block: "center" });
    wanted?.focus({ preventScroll: true });
  }, [hash, key, there]);
}

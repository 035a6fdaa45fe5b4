/** A value once it has come to rest: what is typed or turned is not asked about at every step. */
import { useEffect, useMemo, useState } from "react";

export function useLater<T>(value: T, restsForMs = 400): T {
  const told = JSON.stringify(value);
  const [kept, setKept] = useState(told);
  useEffect(() => {
    const timer = setTimeout(() => setKept(told), restsForMs);
    return () => clearTimeout(timer);
  }, [told, restsForMs]);
  return useMemo(() => JSON.parse(kept) as T, [kept]);
}

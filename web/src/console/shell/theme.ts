/** Light, dark, or as the device has it. */
import { useState } from "react";

export type Theme = "system" | "light" | "dark";
export const THEMES: readonly Theme[] = ["system", "light", "dark"];
const KEPT = "aisle:console:theme";

function wear(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

function kept(): Theme {
  const asked = new URL(location.href).searchParams.get("theme") ?? localStorage.getItem(KEPT);
  return THEMES.find((theme) => theme === asked) ?? "system";
}

wear(kept());

export function useTheme(): readonly [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(kept);
  return [
    theme,
    (chosen) => {
      localStorage.setItem(KEPT, chosen);
      wear(chosen);
      setTheme(chosen);
    },
  ];
}

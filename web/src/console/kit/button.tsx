/** Buttons, and links that look like them. */
import type { ReactNode } from "react";
import { Button as AriaButton, type ButtonProps } from "react-aria-components";
import { Link, type LinkProps } from "react-router";

/** `main`: the one thing to do here; `danger`: it cannot be undone; `quiet`: beside others. */
export type ButtonKind = "main" | "plain" | "quiet" | "danger";

export function Button({
  kind = "plain",
  ...props
}: Omit<ButtonProps, "className"> & { readonly kind?: ButtonKind }): ReactNode {
  return <AriaButton {...props} className={`button ${kind}`} />;
}

export function ButtonLink({
  kind = "plain",
  ...props
}: Omit<LinkProps, "className"> & { readonly kind?: ButtonKind }): ReactNode {
  return <Link {...props} className={`button ${kind}`} />;
}

/** Values of the display policy by their places, such as `calm.below`. */
import type { Answer } from "../client.ts";

export type Policy = Answer<"/v1/display-policy", "get">;
export type Values = Policy["values"];
export type Preview = Answer<"/v1/display-policy/preview", "post">;
export type Limit = Policy["limits"][string];

export function valueAt(values: Values, place: string): number {
  const found = place
    .split(".")
    .reduce<unknown>((of, name) => (of as Record<string, unknown> | undefined)?.[name], values);
  return typeof found === "number" ? found : 0;
}

export function withValue(values: Values, place: string, value: number): Values {
  const [head = "", ...rest] = place.split(".");
  const inner = rest.length > 0 ? withValue((values[head] ?? {}) as Values, rest.join("."), value) : value;
  return { ...values, [head]: inner };
}

export const changed = (policy: Policy, values: Values): number =>
  Object.keys(policy.limits).filter((place) => valueAt(values, place) !== valueAt(policy.values, place)).length;

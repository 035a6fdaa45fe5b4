/** Values of the policy that belong together, each by its place and its label. */
export interface Group {
  readonly title: string;
  readonly about: string;
  readonly fields: Readonly<Record<string, string>>;
}

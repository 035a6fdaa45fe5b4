/**
 * The console's parts. A page is: `<Page title actions>` with `<Card title>`s in a `.grid`, data by `useQuery` and `read`,
 * shown through `<Loaded>` (skeleton, trouble, empty), numbers by `<Figure>`, lists by `<DataTable>`, pictures of numbers by `<Chart>`,
 * whose title asks the question that it answers. Words come from `words.en.ts` and `words.ar.ts` beside the page.
 */
export { Button, type ButtonKind, ButtonLink } from "./button.tsx";
export { Cards } from "./cards.tsx";
export { Chart, type ChartProps } from "./chart.tsx";
export { csvOf, download } from "./csv.ts";
export { type Column, DataTable } from "./data-table.tsx";
export { Ask, Confirm, Drawer } from "./dialog.tsx";
export {
  Check,
  Choice,
  DayField,
  NumberField,
  type Option,
  Range,
  Search,
  Switch,
  TextArea,
  TextField,
} from "./fields.tsx";
export { Change, Figure, Meaning } from "./figure.tsx";
export { useHash } from "./hash.ts";
export { useLater } from "./later.ts";
export { Card, Empty, Facts, Loaded, Page, Progress, Skeleton, Tag, type Tone, Trouble } from "./page.tsx";
export { Period, usePeriod } from "./period.tsx";
export { useStream } from "./stream.ts";
export { Tabs } from "./tabs.tsx";
export { Toasts, useToast } from "./toast.tsx";
export { overtaken, useFailed, useSaid, Wrong } from "./wrong.tsx";

/** A table that says what it lists, sorts by its columns, and scrolls by itself where it is too wide. */
import { type ReactNode, useId, useMemo, useState } from "react";
import { major } from "../currency.ts";
import { useFormats, useWords } from "../language.tsx";
import { Button } from "./button.tsx";
import { type Cell, csvOf, download } from "./csv.ts";
import { KIT_WORDS } from "./words.ts";

export interface Column<Row> {
  readonly key: string;
  readonly title: string;
  /** What is shown; the value itself where it is left out. */
  readonly cell?: (row: Row) => ReactNode;
  /** What is sorted and saved as CSV. A column without it does neither. */
  readonly value?: (row: Row) => Cell;
  readonly numeric?: boolean;
  /** The currency whose minor units `value` counts: it is shown and saved in major ones. By row, where only some are money. */
  readonly money?: string | ((row: Row) => string | undefined);
  /** What is saved as CSV where that is not the value. */
  readonly saved?: (row: Row) => Cell;
}

interface Sorting {
  readonly key: string;
  readonly down: boolean;
}

export interface DataTableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  /** The name of the file that CSV is saved as; no button without it. */
  readonly csv?: string;
  readonly hideCaption?: boolean;
  /** Where there is more, what fetches it. */
  readonly more?: (() => void) | undefined;
  readonly waiting?: boolean;
}

function compare(a: Cell, b: Cell): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a ?? "").localeCompare(String(b ?? ""), undefined, { numeric: true });
}

function currencyOf<Row>({ money }: Column<Row>, row: Row): string | undefined {
  return typeof money === "function" ? money(row) : money;
}

/** The header and the lines that are saved: amounts in major units, and in which currency. */
export function savedOf<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  currency: string,
): readonly [readonly string[], readonly (readonly Cell[])[]] {
  const told = columns.filter((column) => column.value);
  const mixed = told.filter(({ money }) => typeof money === "function");
  const header = told.map(({ title, money }) => (typeof money === "string" ? `${title} (${money})` : title));
  const cell = (column: Column<Row>, row: Row): Cell => {
    if (column.saved) return column.saved(row);
    const value = column.value?.(row);
    const of = currencyOf(column, row);
    return of !== undefined && typeof value === "number" ? major(value, of) : value;
  };
  return [
    mixed.length > 0 ? [...header, currency] : header,
    rows.map((row) => {
      const line = told.map((column) => cell(column, row));
      return mixed.length > 0 ? [...line, mixed.map((column) => currencyOf(column, row)).find(Boolean)] : line;
    }),
  ];
}

function Head<Row>({
  column,
  sorting,
  sort,
}: {
  readonly column: Column<Row>;
  readonly sorting: Sorting | undefined;
  readonly sort: (key: string) => void;
}): ReactNode {
  const own = sorting?.key === column.key ? sorting : undefined;
  const order = own ? (own.down ? "descending" : "ascending") : "none";
  const kind = column.numeric ? "numeric" : undefined;
  if (!column.value)
    return (
      <th scope="col" className={kind}>
        {column.title}
      </th>
    );
  return (
    <th scope="col" className={kind} aria-sort={order}>
      <button type="button" className="sort" onClick={() => sort(column.key)}>
        {column.title}
        <span aria-hidden="true" className="arrow">
          {own ? (own.down ? "↓" : "↑") : "↕"}
        </span>
      </button>
    </th>
  );
}

export function DataTable<Row>(props: DataTableProps<Row>): ReactNode {
  const { caption, columns, rows, rowKey, csv, hideCaption, more, waiting } = props;
  const words = useWords(KIT_WORDS);
  const { money } = useFormats();
  const shown = (column: Column<Row>, row: Row): ReactNode => {
    if (column.cell) return column.cell(row);
    const value = column.value?.(row);
    const of = currencyOf(column, row);
    return of !== undefined && typeof value === "number" ? money(value, of) : value;
  };
  const id = useId();
  const [sorting, setSorting] = useState<Sorting>();
  const sorted = useMemo(() => {
    const by = columns.find((column) => column.key === sorting?.key)?.value;
    if (!by || !sorting) return rows;
    return [...rows].sort((a, b) => compare(by(a), by(b)) * (sorting.down ? -1 : 1));
  }, [rows, columns, sorting]);
  const sort = (key: string): void => setSorting((was) => ({ key, down: was?.key === key ? !was.down : true }));
  const save = (): void => {
    download(`${csv}.csv`, csvOf(...savedOf(columns, sorted, words.currency)));
  };
  return (
    <div className="table">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard (WCAG 2.1.1) */}
      <section className="scroll" aria-labelledby={id} tabIndex={0}>
        <table>
          <caption id={id} className={hideCaption ? "unseen" : undefined}>
            {caption}
          </caption>
          <thead>
            <tr>
              {columns.map((column) => (
                <Head key={column.key} column={column} sorting={sorting} sort={sort} />
              ))}
            </tr>
          </thead>
          <tbody>
            {sorted.map((row) => (
              <tr key={rowKey(row)}>
                {columns.map((column) => (
                  <td key={column.key} className={column.numeric ? "numeric" : undefined}>
                    {shown(column, row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {(csv || more) && (
        <div className="row">
          {more && (
            <Button onPress={more} isDisabled={waiting ?? false}>
              {waiting ? words.loading : words.more}
            </Button>
          )}
          {csv && rows.length > 0 && (
            <Button kind="quiet" onPress={save}>
              {words.csv}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

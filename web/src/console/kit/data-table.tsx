/** A table that says what it lists, sorts by its columns, and scrolls by itself where it is too wide. */
import { type ReactNode, useId, useMemo, useState } from "react";
import { useWords } from "../language.tsx";
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
  const id = useId();
  const [sorting, setSorting] = useState<Sorting>();
  const sorted = useMemo(() => {
    const by = columns.find((column) => column.key === sorting?.key)?.value;
    if (!by || !sorting) return rows;
    return [...rows].sort((a, b) => compare(by(a), by(b)) * (sorting.down ? -1 : 1));
  }, [rows, columns, sorting]);
  const sort = (key: string): void => setSorting((was) => ({ key, down: was?.key === key ? !was.down : true }));
  const save = (): void => {
    const told = columns.filter((column) => column.value);
    const lines = sorted.map((row) => told.map((column) => column.value?.(row)));
    download(
      `${csv}.csv`,
      csvOf(
        told.map((column) => column.title),
        lines,
      ),
    );
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
                    {column.cell ? column.cell(row) : column.value?.(row)}
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

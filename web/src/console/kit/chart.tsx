/** A chart with its question as title, the same numbers as a table, and as CSV. */
import type { Markish, PlotOptions } from "@observablehq/plot";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { ToggleButton, ToggleButtonGroup } from "react-aria-components";
import { useLanguage, useWords } from "../language.tsx";
import { type Column, DataTable } from "./data-table.tsx";
import { Skeleton } from "./page.tsx";
import { KIT_WORDS } from "./words.ts";

type Plot = typeof import("@observablehq/plot");

/** Below it the margins leave nothing to draw in; a page that is being laid out passes through it. */
const NARROWEST_PX = 240;

export interface ChartProps<Row> {
  /** The question that the chart answers. */
  readonly title: string;
  /** The answer in a sentence, which is also what a screen reader is told. */
  readonly answer: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  /** The marks, of the plot library that is handed in; colours by the class names `series-1` … or `var(--chart-1)`. */
  readonly marks: (plot: Plot, width: number) => readonly Markish[];
  readonly options?: Omit<PlotOptions, "marks" | "width" | "height">;
  readonly height?: number;
  /** The file's name for CSV. */
  readonly csv: string;
}

/** Draws anew when its numbers, its width or the direction of writing change. The library comes when the first chart does. */
function Drawing<Row>({ marks, options, height = 220, answer }: ChartProps<Row>): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const [plot, setPlot] = useState<Plot>();
  const [width, setWidth] = useState(0);
  const { language } = useLanguage();
  useEffect(() => void import("@observablehq/plot").then(setPlot), []);
  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const seen = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    seen.observe(element);
    return () => seen.disconnect();
  }, []);
  useEffect(() => {
    const element = place.current;
    if (!plot || !element || width < NARROWEST_PX) return;
    const made = plot.plot({ ...options, marks: [...marks(plot, width)], width, height, ariaLabel: answer });
    // Its style sheet is ours: the page's policy allows no other.
    for (const sheet of made.querySelectorAll("style")) sheet.remove();
    // The whole is one picture with one name; groups may have none (ARIA 1.2).
    for (const part of made.querySelectorAll("g[aria-label], g[aria-description]")) {
      part.removeAttribute("aria-label");
      part.removeAttribute("aria-description");
    }
    made.setAttribute("dir", "ltr");
    made.setAttribute("role", "img");
    made.setAttribute("lang", language);
    element.replaceChildren(made);
  }, [plot, width, marks, options, height, answer, language]);
  return (
    <div ref={place} className="drawing" style={{ minBlockSize: `${height}px` }}>
      {!plot && <Skeleton />}
    </div>
  );
}

export function Chart<Row>(props: ChartProps<Row>): ReactNode {
  const { title, answer, rows, columns, csv } = props;
  const words = useWords(KIT_WORDS);
  const id = useId();
  const [shown, setShown] = useState<"chart" | "table">("chart");
  return (
    <figure className="chart" aria-labelledby={id}>
      <figcaption>
        <div>
          <h3 id={id}>{title}</h3>
          <p className="muted">{answer}</p>
        </div>
        <ToggleButtonGroup
          className="toggle"
          aria-labelledby={id}
          disallowEmptySelection
          selectedKeys={[shown]}
          onSelectionChange={(keys) => setShown([...keys][0] === "table" ? "table" : "chart")}
        >
          <ToggleButton id="chart">{words.chart}</ToggleButton>
          <ToggleButton id="table">{words.table}</ToggleButton>
        </ToggleButtonGroup>
      </figcaption>
      {shown === "chart" ? (
        <Drawing {...props} />
      ) : (
        <DataTable
          caption={title}
          hideCaption
          columns={columns}
          rows={rows}
          rowKey={(row) => String(rows.indexOf(row))}
          csv={csv}
        />
      )}
    </figure>
  );
}

/** The staff console: one application under /console. */
import "../../tokens.css";
import "./kit/base.css";
import "./kit/controls.css";
import "./kit/numbers.css";
import "./kit/over.css";
import "./shell/shell.css";
import { createRoot } from "react-dom/client";
import { addFont } from "../lib/font.ts";
import { App } from "./app.tsx";

const root = document.querySelector<HTMLElement>("#console");
if (root) {
  addFont(location.origin);
  createRoot(root).render(<App />);
}

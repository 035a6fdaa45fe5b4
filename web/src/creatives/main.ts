/** The entry of the creatives' page. */
import "../../tokens.css";
import "../inbox/inbox.css";
import "./creatives.css";
import { addFont } from "../lib/font.ts";
import { CreativesPage } from "./page.ts";

const root = document.querySelector<HTMLElement>("#creatives");
if (root) {
  const theme = new URL(location.href).searchParams.get("theme");
  if (theme) document.documentElement.dataset.theme = theme;
  addFont(location.origin);
  new CreativesPage(root);
}

/** Starts the kiosk page: /kiosk/NAME?camera=on#key=dk_…, with lang and theme for the screen's place. */
import "../../tokens.css";
import "./kiosk.css";
import "./screens.css";
import { render } from "lit";
import { addFont } from "../lib/font.ts";
import { pickLanguage } from "../widget/language.ts";
import { demoDevice, deviceOf, keyKept } from "./api.ts";
import { Kiosk } from "./app.ts";
import { notice } from "./screens.ts";
import { speak, WORDS } from "./words.ts";

async function start(root: HTMLElement): Promise<void> {
  const url = keyKept(new URL(location.href));
  history.replaceState(null, "", url);
  const { documentElement: page } = document;
  const usual = pickLanguage([url.searchParams.get("lang"), page.lang]);
  await speak(usual);
  const theme = url.searchParams.get("theme");
  if (theme) page.dataset.theme = theme;
  addFont(location.origin);
  const device = deviceOf(url) ?? (await demoDevice());
  if (device) new Kiosk(root, device, url.searchParams.get("camera") === "on", usual);
  else render(notice(WORDS.notSetUp, WORDS.notSetUpHow), root);
}

const root = document.querySelector<HTMLElement>("#kiosk");
if (root) void start(root);

// @ts-check
/** What the desk adds to the menu of whoever is signed in: density, notifications, the keyboard. */

import { keysHelp } from "../parts/keys_help.js";
import { preferences } from "../state.js";
import { t } from "../words.js";
import { askToNotify, notifies } from "./notify.js";

const isCompact = () => preferences.get("desk.density") === "compact";

export function applyDensity() {
  document.documentElement.classList.toggle("compact", isCompact());
}

export function switchDensity() {
  preferences.set("desk.density", isCompact() ? "" : "compact");
  applyDensity();
}

/** A function, so that each opening of the menu shows the state of now. */
export const menuOfMe = () => [
  { words: t("desk.compact"), get checked() { return isCompact(); }, run: switchDensity },
  { words: t("desk.notify_me"), get checked() { return notifies(); }, run: askToNotify },
  { words: t("common.keyboard"), run: () => { keysHelp(); } },
];

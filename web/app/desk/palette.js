// @ts-check
/** Everything that can be done now, to choose by typing. What was chosen lately comes first. */

import { all } from "../keys.js";
import { choose } from "../parts/choose.js";
import { preferences } from "../state.js";
import { t } from "../words.js";
import { extras } from "./commands.js";
import { openQueue } from "./places.js";
import { targets } from "./state.js";

const MOST_RECENT = 5;

export function openPalette() {
  const recent = preferences.get("desk.recent").split("\n").filter(Boolean);
  const commands = /** @type {any[]} */ (all()).filter((command) => !command.hidden && (command.when?.() ?? true))
    .map((command) => ({ words: command.name, keys: command.keys, run: command.run }));
  const rank = (/** @type {any} */ choice) => { const at = recent.indexOf(choice.words); return at < 0 ? MOST_RECENT : at; };
  const choices = [...commands, ...extras()].sort((one, other) => rank(one) - rank(other)).map((choice) => ({
    ...choice,
    run: () => {
      preferences.set("desk.recent", [choice.words, ...recent.filter((words) => words !== choice.words)].slice(0, MOST_RECENT).join("\n"));
      return choice.run();
    },
  }));
  const meant = targets();
  const title = !meant.length ? t("desk.palette") : meant.length === 1 ? t("desk.palette_for", { what: `#${meant[0].number} ${meant[0].title}`.slice(0, 60) }) : t("desk.palette_for", { what: t("desk.n_tickets", { n: meant.length }) });
  return choose(title, choices, { placeholder: t("desk.palette_hint"), free: (text) => ({ words: t("desk.search_for", { text }), run: () => openQueue("open", { q: text }) }) });
}

// @ts-check
/** Everything that can be done now, to choose by typing. Tickets that were opened lately come first, then what was chosen lately. */

import { all } from "../keys.js";
import { choose } from "../parts/choose.js";
import { preferences } from "../state.js";
import { t } from "../words.js";
import { extras } from "./commands.js";
import { openQueue, openTicket } from "./places.js";
import { desk, recentTickets, targets } from "./state.js";

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
  const tickets = recentTickets().filter(({ id }) => id !== desk.get().ticketId).slice(0, MOST_RECENT)
    .map(({ id, number, title: subject }) => ({ words: `#${number} ${subject}`, note: t("desk.lately"), run: () => openTicket(id) }));
  const meant = targets();
  const title = !meant.length ? t("desk.palette") : meant.length === 1 ? t("desk.palette_for", { what: `#${meant[0].number} ${meant[0].title}`.slice(0, 60) }) : t("desk.palette_for", { what: t("desk.n_tickets", { n: meant.length }) });
  return choose(title, choices, { recent: tickets, placeholder: t("desk.palette_hint"), free: (text) => ({ words: t("desk.search_for", { text }), run: () => openQueue("open", { q: text }) }) });
}

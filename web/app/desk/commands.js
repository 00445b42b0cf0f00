// @ts-check
/** The keyboard map of the desk. The palette and the help list the same commands. */

import { keysHelp } from "../parts/keys_help.js";
import { undoNewest } from "../parts/toast.js";
import { may, mayWork } from "../session.js";
import { isOpen } from "../values.js";
import { t } from "../words.js";
import { assignToMe, bulkMacro, deleteTicket, editTags, merge, pickAgent, pickCategory, pickPriority, pickStatus, resolve, snooze } from "./actions.js";
import { change } from "./changes.js";
import { compose } from "./composer.js";
import { pickFilter, saveView } from "./filters.js";
import { focusRow, pick } from "./list.js";
import { switchDensity } from "./menu_of_me.js";
import { newTicket } from "./new_ticket.js";
import { openPalette } from "./palette.js";
import { togglePanel } from "./panel.js";
import { backToQueue, openQueue, openTicket } from "./places.js";
import { desk, neighbour, opened, targets } from "./state.js";
import { STANDARD } from "./views.js";

const inTicket = () => Boolean(desk.get().ticketId);
const isMeant = () => mayWork() && targets().length > 0;
/** A ticket that is resolved has nothing to wait for and nothing to merge. */
const openOnes = () => isMeant() && targets().some(isOpen);
const openIsMeant = () => mayWork() && inTicket() && Boolean(opened.get().ticket);

/** Goes up or down the queue; with an open ticket the next one opens. */
function step(/** @type {number} */ by) {
  const { ticketId, cursor } = desk.get();
  const row = neighbour(ticketId || (document.activeElement?.closest(".rows") ? cursor : ""), by);
  if (!row) return;
  desk.set({ cursor: row.id });
  if (ticketId) openTicket(row.id, { replace: true });
  else focusRow(row.id);
}

export function focusSearch() {
  if (inTicket() && innerWidth < 900) backToQueue();
  const search = /** @type {any} */ (document.querySelector(".search"));
  search?.focus();
  search?.select();
}

function write(/** @type {string} */ mode) {
  if (inTicket()) compose({ mode });
  else if (desk.get().cursor) { openTicket(desk.get().cursor); compose({ mode }); }
}

function back() {
  if (document.querySelector("div.desk.panel-open")) return togglePanel();
  if (desk.get().picked.size) return desk.set({ picked: new Set() });
  return inTicket() ? backToQueue() : undefined;
}

const reopen = () => { const all = targets(); change(all, { action: "reopen" }, t("desk.reopened", { what: `#${all[0].number}` })); };

/** @returns {(import("../keys.js").Command & {hidden?: boolean, shown?: string})[]} */
export const commands = () => [
  { keys: "j / ArrowDown", name: t("desk.key_next"), run: () => step(1), hidden: true },
  { keys: "k / ArrowUp", name: t("desk.key_previous"), run: () => step(-1), hidden: true },
  { keys: "o", shown: "Enter / o", name: t("desk.open"), run: () => openTicket(desk.get().cursor), when: () => !inTicket() && Boolean(desk.get().cursor) },
  { keys: "u / Escape", name: t("desk.back"), run: back, when: () => inTicket() || desk.get().picked.size > 0 },
  { keys: "x", name: t("desk.key_pick"), run: () => pick(desk.get().ticketId || desk.get().cursor), when: () => Boolean(desk.get().ticketId || desk.get().cursor) },
  { keys: "Shift+x", name: t("desk.key_pick_range"), run: () => pick(desk.get().cursor, true), when: () => Boolean(desk.get().cursor), hidden: true },
  { keys: "e", name: t("desk.resolve"), run: () => resolve(), when: () => isMeant() && targets().some(isOpen) },
  { keys: "Shift+e", name: t("desk.resolve_next"), run: () => resolve(undefined, true), when: () => isMeant() && targets().some(isOpen) },
  { keys: "c", name: t("desk.new_ticket"), run: () => { newTicket(); } },
  { keys: "l", name: t("desk.tags"), run: () => { editTags(); }, when: isMeant },
  { keys: "r", name: t("desk.mode_reply"), run: () => write("reply"), when: isMeant },
  { keys: "n", name: t("desk.mode_note"), run: () => write("note"), when: isMeant },
  { keys: "i", name: t("desk.assign_me"), run: () => { assignToMe(); }, when: isMeant },
  { keys: "a", name: t("desk.assign"), run: () => { pickAgent(); }, when: isMeant },
  { keys: "s", name: t("desk.status"), run: () => { pickStatus(); }, when: isMeant },
  { keys: "p", name: t("desk.priority"), run: () => { pickPriority(); }, when: isMeant },
  { keys: "m", name: t("desk.macro"), run: () => (inTicket() ? compose({ act: "macro" }) : bulkMacro()), when: isMeant },
  { keys: "h", name: t("desk.snooze"), run: () => { snooze(); }, when: openOnes },
  { keys: "Mod+k", name: t("desk.palette"), run: () => { openPalette(); }, typing: true, hidden: true },
  { keys: "/", name: t("desk.search"), run: focusSearch },
  { keys: "?", name: t("common.keyboard"), run: () => { keysHelp(); } },
  { keys: "z", name: t("common.undo"), run: () => undoNewest() },
  { keys: "g q", name: t("desk.go_queue"), run: () => openQueue("open") },
  { keys: "g t", name: t("desk.go_mine"), run: () => openQueue("mine") },
  { keys: "g d", name: t("desk.go_dashboard"), run: () => location.assign("/admin"), when: () => may("stats.read") },
  { keys: "g k", name: t("desk.go_knowledge"), run: () => location.assign("/admin/knowledge"), when: () => may("knowledge.write") },
  { keys: "[", name: t("desk.toggle_side"), run: () => document.querySelector("div.desk")?.classList.toggle("side-closed") },
  { keys: "]", name: t("desk.panel"), run: togglePanel, when: inTicket },
  { keys: "Mod+Enter", name: t("desk.key_send"), run: () => compose({ act: "send" }), when: openIsMeant, typing: true },
  { keys: "Mod+Shift+Enter", name: t("desk.send_resolve"), run: () => compose({ act: "send_resolve" }), when: openIsMeant, typing: true },
];

/** What only the palette has: no key of its own. */
export const extras = () => [
  ...STANDARD.map(([id]) => ({ words: t("desk.go_to", { name: t(`desk.view_${id}`) }), run: () => openQueue(id) })),
  ...desk.get().views.filter((view) => !view.standard).map((view) => ({ words: t("desk.go_to", { name: view.name }), run: () => openQueue(view.id) })),
  ...(isMeant() ? [{ words: t("desk.category"), run: () => { pickCategory(); } }] : []),
  ...(openOnes() ? [{ words: t("desk.merge"), run: () => { merge(); } }] : []),
  ...(isMeant() && targets().every((ticket) => !isOpen(ticket)) ? [{ words: t("desk.reopen"), run: reopen }] : []),
  ...(openIsMeant() ? [{ words: t("desk.delete"), run: () => { deleteTicket(); } }] : []),
  { words: t("desk.add_filter"), run: () => { pickFilter(); } },
  { words: t("desk.save_view"), run: () => { saveView(); } },
  { words: t("desk.compact"), run: switchDensity },
];

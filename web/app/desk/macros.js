// @ts-check
/** Macros on the open ticket: what one would say goes into the composer, and what it sets is asked for first. */

import { get, post } from "../api.js";
import { choose } from "../parts/choose.js";
import { confirm } from "../parts/dialog.js";
import { toastError } from "../parts/toast.js";
import { t } from "../words.js";
import { noMacros } from "./actions.js";
import { change, fieldName, shownValue } from "./changes.js";
import { opened } from "./state.js";

/** Asks for a macro, then does it. `insert` takes its words. */
export async function offerMacros(/** @type {string} */ ticketId, /** @type {(words: string) => void} */ insert) {
  try {
    const { data } = await get("/api/macros", { limit: 200 });
    if (!data.length) { await noMacros(); return; }
    await choose(t("desk.macro"), data.map((/** @type {any} */ macro) => ({ words: macro.name, about: macro.body.slice(0, 80), run: () => use(macro, ticketId, insert) })));
  } catch (error) { toastError(error); }
}

async function use(/** @type {any} */ macro, /** @type {string} */ ticketId, /** @type {(words: string) => void} */ insert) {
  try {
    const shown = (await post(`/api/tickets/${encodeURIComponent(ticketId)}/macro`, { macro_id: macro.id })).data;
    const sets = Object.entries(shown.set ?? {});
    if (shown.body) insert(shown.body);
    if (!sets.length) return;
    const words = sets.map(([name, value]) => `${fieldName(name)}: ${shownValue(name, value)}`).join(", ");
    const { ticket } = opened.get();
    if (ticket && await confirm(macro.name, t("desk.macro_sets", { what: words }), t("desk.set_these"))) await change([ticket], { set: shown.set }, t("desk.macro_used", { what: `#${ticket.number}`, name: macro.name }));
  } catch (error) { toastError(error); }
}

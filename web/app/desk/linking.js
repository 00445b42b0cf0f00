// @ts-check
/** Links the open ticket to another one, found by its number or by words. */

import { get, post, remove } from "../api.js";
import { h } from "../dom.js";
import { choose } from "../parts/choose.js";
import { button, field, showErrors } from "../parts/controls.js";
import { dialog } from "../parts/dialog.js";
import { toast, toastError } from "../parts/toast.js";
import { t, word } from "../words.js";
import { refresh } from "./changes.js";

export async function linkTicket(/** @type {any} */ ticket) {
  const words = field(t("desk.find_ticket"), { name: "q", required: true, autocomplete: "off" });
  const kind = field(t("desk.link_kind"), { name: "kind", value: "related", options: ["related", "duplicate", "caused_by"].map((value) => ({ value, words: word("link", value) })) });
  const problem = h("p", { class: "wrong", role: "alert" });
  /** @type {any[]|null} */
  let found = /** @type {any[]|null} */ (null);
  await dialog(t("desk.add_link"), (close) => h("form", {
    class: "stack",
    onsubmit: async (/** @type {Event} */ event) => {
      event.preventDefault();
      try {
        found = (await get("/api/tickets", { q: words.input.value.trim(), limit: 20 })).data.filter((/** @type {any} */ one) => one.id !== ticket.id);
        if (found?.length) close();
        else problem.textContent = t("common.nothing_found");
      } catch (error) { problem.textContent = showErrors(error, { q: words }); }
    },
  }, words, kind, problem, h("footer", { class: "line end" }, button(t("common.cancel"), close), button(t("desk.find"), () => {}, { kind: "primary", type: "submit" }))));
  if (found?.length) await choose(t("desk.add_link"), found.map((other) => ({ words: `#${other.number} ${other.title}`, run: () => link(ticket, other, kind.input.value) })));
}

async function link(/** @type {any} */ ticket, /** @type {any} */ other, /** @type {string} */ kind) {
  const path = `/api/tickets/${ticket.id}/links`, body = { ticket_id: other.id, kind };
  try {
    await post(path, body);
    toast(t("desk.linked", { number: String(other.number) }), { undo: () => remove(path, body).then(() => refresh([ticket, other]), toastError) });
  } catch (error) { toastError(error); }
  await refresh([ticket, other]);
}

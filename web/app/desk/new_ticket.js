// @ts-check
/** The form of a new ticket, for a customer who called or came by. What was typed stays until it is sent. */

import { post } from "../api.js";
import { h } from "../dom.js";
import { button, field, showErrors } from "../parts/controls.js";
import { dialog } from "../parts/dialog.js";
import { toast } from "../parts/toast.js";
import { kept } from "../state.js";
import { PRIORITIES } from "../values.js";
import { t, word } from "../words.js";
import { refresh } from "./changes.js";
import { openTicket } from "./places.js";

const NAMES = ["customer_email", "customer_name", "title", "description", "priority"];

export function newTicket() {
  const before = JSON.parse(kept.get("new_ticket", "{}"));
  const fields = {
    customer_email: field(t("desk.customer_email"), { name: "customer_email", type: "email", required: true, autocomplete: "off", value: before.customer_email }),
    customer_name: field(t("desk.customer_name"), { name: "customer_name", autocomplete: "off", value: before.customer_name }),
    title: field(t("desk.subject"), { name: "title", required: true, autocomplete: "off", value: before.title }),
    description: field(t("desk.what_happened"), { tag: "textarea", name: "description", required: true, value: before.description }),
    priority: field(t("desk.priority"), { name: "priority", value: before.priority ?? "", options: [{ value: "", words: t("desk.decided_by_triage") },
      ...PRIORITIES.map((value) => ({ value, words: word("priority", value) }))] }),
  };
  const values = () => Object.fromEntries(NAMES.map((name) => [name, /** @type {any} */ (fields)[name].input.value.trim()]).filter(([, value]) => value));
  const problem = h("p", { class: "wrong", role: "alert" });
  return dialog(t("desk.new_ticket"), (close) => h("form", {
    class: "stack", novalidate: true,
    oninput: () => kept.set("new_ticket", JSON.stringify(values())),
    onsubmit: async (/** @type {Event} */ event) => {
      event.preventDefault();
      try {
        const ticket = (await post("/api/tickets", { ...values(), source: "web" })).data;
        kept.set("new_ticket", "");
        close();
        openTicket(ticket.id);
        toast(t("desk.created", { number: String(ticket.number) }));
        await refresh();
      } catch (error) {
        problem.textContent = showErrors(error, fields);
      }
    },
  }, Object.values(fields), problem,
  h("footer", { class: "line end" }, button(t("common.cancel"), close), button(t("desk.create"), () => {}, { kind: "primary", type: "submit" }))));
}

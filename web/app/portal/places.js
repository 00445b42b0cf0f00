// @ts-check
/** Addresses within the portal, and a ticket's state in the customer's words. */

import { session } from "../session.js";
import { kept } from "../state.js";
import { chip } from "../parts/controls.js";
import { isSolved } from "../values.js";
import { t } from "../words.js";

export const company = () => new URLSearchParams(location.search).get("company") || session.get().me?.company?.name || "";
export const chatAddress = () => `/chat?${new URLSearchParams({ company: company() })}`;

/** Opens the chat, which hands this question to a person. */
export function talkToAPerson(/** @type {string} */ question) {
  kept.set("chat.question", question);
  location.assign(chatAddress());
}

/** We are on it, waiting for you, solved. */
export function stateChip(/** @type {any} */ ticket) {
  if (isSolved(ticket)) return chip(t("portal.solved"), "green", "circle-check");
  // A prepared reply only says that we got it.
  const answered = ticket.status === "ai_responded" && ["model", "knowledge"].includes(ticket.ai_source);
  if (answered || ticket.status === "waiting_customer") return chip(t("portal.waiting"), "amber", "clock");
  return chip(t("portal.on_it"), "blue", "circle-dot");
}

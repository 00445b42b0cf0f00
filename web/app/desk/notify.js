// @ts-check
/** Notifications of the browser, for who asked for them in the menu: a ticket of yours changed, or one needs a person. */

import { toast } from "../parts/toast.js";
import { preferences } from "../state.js";
import { t } from "../words.js";
import { customerOf, myName } from "./names.js";
import { openTicket } from "./places.js";

const supported = "Notification" in window;
export const notifies = () => supported && Notification.permission === "granted" && preferences.get("desk.notify") === "on";

export async function askToNotify() {
  if (notifies()) { preferences.set("desk.notify", ""); return; }
  const allowed = supported && await Notification.requestPermission() === "granted";
  preferences.set("desk.notify", allowed ? "on" : "");
  toast(allowed ? t("desk.notify_on") : t("desk.notify_refused"));
}

/** Tells what happened while nobody looks at the page. */
export function notifyOf(/** @type {any[]} */ events) {
  if (!notifies() || !document.hidden) return;
  const latest = new Map();
  for (const event of events) {
    const { ticket } = event;
    if (!ticket || event.internal) continue;
    const words = event.event === "ticket.handoff" ? t("desk.needs_person")
      : event.event === "ticket.replied" && event.reply?.author_role === "customer" && ticket.assigned_to === myName() ? t("desk.customer_wrote", { who: customerOf(ticket) })
        : event.event === "ticket.assigned" && ticket.assigned_to === myName() ? t("desk.given_to_you") : "";
    if (words) latest.set(ticket.id, [words, ticket]);
  }
  for (const [words, ticket] of latest.values()) {
    const note = new Notification(words, { body: `#${ticket.number} ${ticket.title}`, tag: ticket.id });
    note.onclick = () => { window.focus(); openTicket(ticket.id); note.close(); };
  }
}

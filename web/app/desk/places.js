// @ts-check
/** The addresses of the desk: /desk/<view>?<filters>, and /desk/tickets/<id>?view=<view>&<filters>. */

import { address, go, place } from "../route.js";
import { desk } from "./state.js";

export const FILTERS = "q status priority category assigned_team assigned_to tag customer_email source sla_status incident".split(" ");
const START = "open";

/** @returns {{view: string, ticketId: string, query: Record<string, string>}} */
export function here(/** @type {import("../route.js").Place} */ now = place()) {
  const isTicket = now.path[0] === "tickets" && Boolean(now.path[1]);
  const query = Object.fromEntries([...FILTERS, "sort"].map((name) => [name, now.query.get(name) ?? ""]).filter(([, value]) => value));
  const view = isTicket || !now.path.length ? now.query.get("view") || desk.get().view || START : now.path[0];
  return { view, ticketId: isTicket ? now.path[1] : "", query };
}

export const queueAddress = (view = desk.get().view, query = desk.get().query) => address([view], query);
export const ticketAddress = (/** @type {string} */ id) => address(["tickets", id], { view: desk.get().view, ...desk.get().query });

export const openQueue = (/** @type {string} */ view, query = {}) => go(queueAddress(view, query));
export const openTicket = (/** @type {string} */ id, options = {}) => go(ticketAddress(id), options);
export const backToQueue = () => go(queueAddress());

/** Changes filters or the order; an empty value takes one away. */
export function filterBy(/** @type {Record<string, string>} */ change, options = {}) {
  const { view, query, ticketId } = desk.get();
  const next = Object.fromEntries(Object.entries({ ...query, ...change }).filter(([, value]) => value));
  if (ticketId) return go(address(["tickets", ticketId], { view, ...next }), { replace: true, ...options });
  return go(queueAddress(view, next), options);
}

// @ts-check
/** Names of teams and agents, asked for once. */

import { get } from "../api.js";
import { actorName, isGuest } from "../parts/actors.js";
import { session } from "../session.js";
import { store } from "../state.js";
import { t } from "../words.js";

export const names = store({ teams: /** @type {{key: string, label: string}[]} */ ([]), agents: /** @type {{key: string, label: string}[]} */ ([]) });

/** @type {() => void} */
let ready = () => {};
/** Done when the names were asked for, also where that failed. @type {Promise<void>} */
export const namesLoaded = new Promise((resolve) => { ready = resolve; });

export const loadNames = () => load().finally(ready);

async function load() {
  const [teams, agents] = await Promise.all([get("/api/lookups/teams"), get("/api/lookups/agents")]);
  names.set({ teams: teams.data, agents: agents.data });
}

const labelIn = (/** @type {"teams"|"agents"} */ list, /** @type {string} */ key) => names.get()[list].find((one) => one.key === key)?.label ?? key;
export const teamName = (/** @type {string} */ key) => labelIn("teams", key);
/** The own name as others see it. */
export const myLabel = () => labelIn("agents", myName());
export const agentLabel = (/** @type {string} */ key) => labelIn("agents", key);
export const agentName = (/** @type {string} */ key) => (key === myName() ? t("desk.me") : actorName(key, { nameOf: agentLabel }));

/** The name under what this person writes; a key has none, so the server says "Support". */
export const signature = () => (session.get().me?.email && !myLabel().includes("@") ? myLabel() : "");

/** What `assigned_to` holds for tickets of whoever is signed in. */
export const myName = () => session.get().me?.email || session.get().me?.name || "";
/** Who asks: the name, else the address or the id; a guest is called one. */
export function customerOf(/** @type {any} */ ticket) {
  const named = [ticket.customer_name, ticket.customer_email].find((one) => one && !isGuest(one)) ?? "";
  if (isGuest(ticket.customer_id)) return [t("actor.guest"), named].filter(Boolean).join(" · ");
  return named || ticket.customer_id || t("desk.no_customer");
}

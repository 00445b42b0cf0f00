// @ts-check
/** Who uses the page: the credentials of this tab, and the person behind them. */

import { forgetWritten, kept, preferences, store } from "./state.js";

/** @typedef {{key: string} | {access: string, refresh: string}} Credentials */

/** `me` is what GET /api/me answers; null before signing in. `ended` says that credentials were refused,
 * `lacksFactor` that a second factor must be set up first. */
export const session = store({ me: /** @type {any} */ (null), ended: false, lacksFactor: false });

let place = "credentials";

/** From now on the page calls as a guest of the chat, beside whoever is signed in in this tab. */
export function callAsGuest(/** @type {string} */ company) {
  place = `guest.${company}`;
}

/** @returns {any} */
export function credentials() {
  try { return JSON.parse(kept.get(place, "null")); } catch { return null; }
}

export function keep(/** @type {Credentials|null} */ value) {
  kept.set(place, value ? JSON.stringify(value) : "");
}

/** Keeps the tokens that signing in answered. */
export function keepTokens(/** @type {any} */ data, remember = false) {
  keep({ access: data.access_token, refresh: data.refresh_token ?? "" });
  if (remember) preferences.set("remembered", "yes");
}

/** Takes `#key=…` out of the address, so that it is in no history and no screenshot. Returns the values of the fragment. */
export function takeFragment() {
  const values = new URLSearchParams(location.hash.slice(1));
  if (location.hash) history.replaceState(history.state, "", location.pathname + location.search);
  if (values.get("key")) {
    keep({ key: values.get("key") ?? "" });
    kept.set("came_by_key", "yes");
  }
  return values;
}

/** What forgets the words of one person, before the next one uses this tab. @type {Set<() => void>} */
export const forgetting = new Set([forgetWritten]);

/** Sets who is signed in. A person who comes after another one finds nothing of theirs. */
export function comeIn(/** @type {any} */ me) {
  const before = kept.get("person");
  if (before && me.email && before !== personOf(me)) for (const forget of forgetting) forget();
  if (me.email) kept.set("person", personOf(me));
  session.set({ me, ended: false, lacksFactor: false });
}

const personOf = (/** @type {any} */ me) => `${me.company?.id} ${me.email}`;

export function may(/** @type {string} */ permission) {
  return session.get().me?.permissions?.includes(permission) ?? false;
}

/** Whether it is staff, who work on tickets. */
export const mayWork = () => may("tickets.work");

// @ts-check
/** Who acted, for people: the history names credentials, such as `ai`, `guest:…` or the name of a key. */

import { t } from "../words.js";

const NAMED = ["ai", "system", "start", "demo", "command line", "API_KEY", "customer"];

/** Whether that id is one of a guest of the chat: it says nothing to a reader. */
export const isGuest = (/** @type {string|undefined} */ id) => Boolean(id?.startsWith("guest:"));

/** The plain name of an actor. `through` is the key it came with, where that is known; `nameOf` knows the names of users. */
export function actorName(/** @type {string} */ actor, { through = "", nameOf = (/** @type {string} */ name) => name } = {}) {
  if (isGuest(actor)) return t("actor.guest");
  if (through && through === actor && actor !== "API_KEY") return t("actor.key", { name: actor });
  return NAMED.includes(actor) ? t(`actor.${actor}`) : nameOf(actor);
}

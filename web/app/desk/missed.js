// @ts-check
/** What others wrote while somebody writes here, and whether it was ever in view. */

import { opened } from "./state.js";

/** How many replies a ticket had when its draft was begun. @type {Map<string, number>} */
const begun = new Map();
/** Ids of replies that were in view. @type {Set<string>} */
const inView = new Set();
/** Ids of replies that were sent from here. @type {Set<string>} */
const own = new Set();
/** So much of a long message counts as seen, in pixels. */
const ENOUGH = 80;
const PARTS = Array.from({ length: 51 }, (_, at) => at / 50);

/** Notes that a draft is begun, goes on, or is gone. */
export function noteDraft(/** @type {string} */ id, /** @type {string} */ body) {
  const { ticket, replies, loaded } = opened.get();
  if (!body.trim()) begun.delete(id);
  else if (loaded && ticket?.id === id && !begun.has(id)) begun.set(id, replies.length);
}

/** A text that was sent comes back: it was written when there were `known` replies. */
export const noteReturn = (/** @type {string} */ id, /** @type {number} */ known) => { begun.set(id, Math.min(known, begun.get(id) ?? known)); };
export const noteOwn = (/** @type {string} */ id) => { own.add(id); };

/** Replies of people to the open ticket that came while the draft was written and were never in view. @returns {any[]} */
export function missed() {
  const { ticket, replies } = opened.get();
  return replies.slice(begun.get(ticket?.id) ?? replies.length)
    .filter((reply) => !["ai", "system"].includes(reply.author_role) && !own.has(reply.id) && !inView.has(reply.id));
}

/** Notes what comes into view. A page that nobody looks at shows nothing. */
const watcher = new IntersectionObserver((seen) => {
  for (const { target, intersectionRatio, intersectionRect } of seen) {
    if (intersectionRatio < .5 && intersectionRect.height < ENOUGH) continue;
    inView.add(/** @type {any} */ (target).dataset.key);
    watcher.unobserve(target);
  }
}, { threshold: PARTS });

export function watchMessages(/** @type {HTMLElement} */ list) {
  for (const message of /** @type {any} */ (list.querySelectorAll(":scope > .message:not(.held)"))) if (!inView.has(message.dataset.key)) watcher.observe(message);
}

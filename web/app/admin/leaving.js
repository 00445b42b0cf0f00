// @ts-check
/** Asks before somebody leaves a form with changes that are not saved. */

import { t } from "../words.js";

/** @type {{element: Element, changed: () => boolean}|null} */
let guarded = null;
let here = "";

addEventListener("beforeunload", (event) => { if (hasChanges()) event.preventDefault(); });

/** Guards what an element holds, as long as it is shown. */
export function guard(/** @type {Element} */ element, /** @type {() => boolean} */ changed) {
  guarded = { element, changed };
}

function hasChanges() {
  return Boolean(guarded?.element.isConnected && guarded.changed());
}

/** Whether the page may change now. When somebody stays, the address is put back. */
export function mayLeave() {
  if (hasChanges() && !window.confirm(t("admin.leave"))) {
    history.pushState({}, "", here);
    return false;
  }
  guarded = null;
  here = location.pathname + location.search;
  return true;
}

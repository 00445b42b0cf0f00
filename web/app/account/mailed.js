// @ts-check
/** Pages of mailed links: the token is the fragment of the address, which reaches no log. Opening a page does nothing. */

import { fill, h } from "../dom.js";
import { applyTheme } from "../parts/frame.js";
import { t } from "../words.js";

/**
 * Shows a page of a mailed link, or how to open it when the address has no token.
 * @param {string} title
 * @param {(token: string) => any} content What stands under the title.
 */
export function openMailed(title, content) {
  applyTheme();
  document.title = `${title} · Foyer`;
  const token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  const root = /** @type {HTMLElement} */ (document.getElementById("page"));
  root.removeAttribute("aria-busy");
  fill(root, h("main", { id: "main" }, h("section", { class: "sign-in card" }, h("h1", {}, title),
    token ? content(token) : noToken())));
}

export const noToken = () => h("p", { class: "notice amber" }, t("signin.no_token"));

/** What a signed token says, to show it; the server alone checks it. Nothing for a damaged one. @returns {any} */
export function claimsOf(/** @type {string} */ token) {
  try {
    const part = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(part), (letter) => letter.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)) ?? {};
  } catch {
    return {};
  }
}

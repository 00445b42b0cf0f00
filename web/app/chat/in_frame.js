// @ts-check
/** What the chat says to the page around it: that it wants to close, and nothing else. */

import { kept } from "../state.js";

export const framed = window.parent !== window;

/** The page around the frame tells its origin in the address (web/embed.js); a reload remembers it. */
export function startFrame(/** @type {URLSearchParams} */ fragment) {
  if (!framed) return;
  if (fragment.get("origin")) kept.set("chat.parent", fragment.get("origin") ?? "");
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !event.defaultPrevented && !event.isComposing) closeFrame(); });
}

export function closeFrame() {
  try {
    window.parent.postMessage({ foyer: "close" }, kept.get("chat.parent"));
  } catch { /* An address without an origin has nobody to tell. */ }
}

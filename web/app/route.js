// @ts-check
/** The address is the state of a page: a reload, a link and the back button work. */

/** @typedef {{path: string[], query: URLSearchParams}} Place */

/** @type {(place: Place) => void} */
let show = () => {};
let base = "";

/** The parts of the address after the page's name, such as ["tickets", "7"], and its query. @returns {Place} */
export function place() {
  const path = location.pathname.slice(base.length).split("/").filter(Boolean).map(decodeURIComponent);
  return { path, query: new URLSearchParams(location.search) };
}

/** Address of a place of this page. Values of the query that are empty are left out. */
export function address(/** @type {string[]} */ path, /** @type {Record<string, any>} */ query = {}) {
  const pairs = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const search = pairs.length ? `?${new URLSearchParams(pairs)}` : "";
  return base + path.map((part) => `/${encodeURIComponent(part)}`).join("") + search;
}

/** Goes to an address of this page. `replace` makes no step for the back button. */
export function go(/** @type {string} */ url, { replace = false } = {}) {
  if (url === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"]({}, "", url);
  show(place());
}

/** Starts: calls `onPlace` now and whenever the address changes. Links within the page need no reload. */
export function startRouting(/** @type {string} */ start, /** @type {(place: Place) => void} */ onPlace) {
  const again = Boolean(base);
  base = start;
  show = onPlace;
  if (!again) listen();
  show(place());
}

function listen() {
  addEventListener("popstate", () => show(place()));
  document.addEventListener("click", (event) => {
    const link = /** @type {any} */ (event.target)?.closest?.("a[href]");
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || event.defaultPrevented || link.target || link.hasAttribute("download")) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || !(url.pathname === base || url.pathname.startsWith(`${base}/`)) || url.hash) return;
    event.preventDefault();
    go(url.pathname + url.search);
  });
}

/** Names the page in the tab, and moves the focus to its heading for who cannot see it change. */
export function announce(/** @type {string} */ title, focus = true) {
  document.title = title ? `${title} · Foyer` : "Foyer";
  if (focus) focusHeading();
}

/** Moves the focus to the page's heading; where it is still loading, as soon as it is there and nobody has gone elsewhere. */
export function focusHeading() {
  waiting.disconnect();
  const heading = document.querySelector("h1");
  if (!heading) return waiting.observe(document.body, { childList: true, subtree: true });
  heading.tabIndex = -1;
  return heading.focus({ preventScroll: true });
}

const waiting = new MutationObserver(() => {
  if (document.activeElement !== document.body) waiting.disconnect();
  else if (document.querySelector("h1")) focusHeading();
});

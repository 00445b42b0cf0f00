// @ts-check
/** Elements from calls. Text is always text, never markup. */

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "use", "g", "path", "line", "polyline", "rect", "circle", "text", "title"]);
const PROPERTIES = new Set(["value", "checked", "disabled", "selected", "indeterminate", "readOnly", "hidden"]);
const SAFE_PROTOCOLS = new Set(["http:", "https:", "mailto:", "blob:"]);

/**
 * Makes an element.
 * @param {string} tag "button", or "svg:line" for an element of SVG.
 * @param {Record<string, any>} [props] Attributes; `class`; `onclick` and others with functions; properties such as `value`.
 * @param {...any} children Nodes, texts, numbers, arrays of them; null, undefined and false are left out.
 * @returns {any}
 */
export function h(tag, props, ...children) {
  const name = tag.startsWith("svg:") ? tag.slice(4) : tag;
  const drawn = tag.startsWith("svg:") || tag === "svg" || tag === "use";
  const element = drawn && SVG_TAGS.has(name) ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(props ?? {})) setProp(element, key, value);
  element.append(...nodes(children));
  return element;
}

/** Sets one attribute, property or listener; null, undefined and false remove an attribute. */
function setProp(/** @type {any} */ element, /** @type {string} */ key, /** @type {any} */ value) {
  if (key.startsWith("on") && typeof value === "function") element.addEventListener(key.slice(2), value);
  else if (PROPERTIES.has(key)) element[key] = value ?? "";
  else if (value === null || value === undefined || value === false) element.removeAttribute(key);
  else if (key === "href" || key === "src") element.setAttribute(key, safeUrl(String(value)));
  else element.setAttribute(key, value === true ? "" : String(value));
}

/** The address, or "#" when a click on it could run something. */
export function safeUrl(/** @type {string} */ url) {
  try {
    return SAFE_PROTOCOLS.has(new URL(url, location.href).protocol) ? url : "#";
  } catch {
    return "#";
  }
}

/** Children as nodes. @returns {(Node|string)[]} */
export function nodes(/** @type {any[]} */ children) {
  return children.flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false && child !== "")
    .map((child) => (child instanceof Node ? child : String(child)));
}

/** Puts the children in place of what an element holds. */
export function fill(/** @type {Element} */ element, /** @type {any[]} */ ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

/**
 * Brings a list up to date without touching the rows that stay: focus and scroll positions are kept.
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => Element} make Called for a new item, and again when its version changed.
 * @param {(item: T) => string} [versionOf] Text that changes when the row must be made anew.
 */
export function updateList(parent, items, keyOf, make, versionOf = (item) => JSON.stringify(item)) {
  const present = new Map([...parent.children].map((row) => [/** @type {any} */ (row).dataset.key, row]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item), version = versionOf(item);
    let row = /** @type {any} */ (present.get(key));
    present.delete(key);
    if (!row || row.version !== version) {
      const fresh = /** @type {any} */ (make(item));
      fresh.dataset.key = key;
      fresh.version = version;
      if (row) {
        const focused = row.contains(document.activeElement);
        if (place === row) place = fresh;
        row.replaceWith(fresh);
        if (focused) (fresh.matches("a,button,[tabindex]") ? fresh : fresh.querySelector("a,button,[tabindex]"))?.focus();
      }
      row = fresh;
    }
    if (row === place) place = row.nextElementSibling;
    else parent.insertBefore(row, place);
  }
  for (const row of present.values()) row.remove();
}

/** Waits until nothing was asked for so many milliseconds, then calls once. */
export function later(/** @type {(...args: any[]) => void} */ call, milliseconds = 200) {
  let timer = 0;
  return (/** @type {any[]} */ ...args) => {
    clearTimeout(timer);
    timer = window.setTimeout(() => call(...args), milliseconds);
  };
}

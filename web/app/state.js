// @ts-check
/** A value that tells who listens when it changes. */

/**
 * @template {Record<string, any>} T
 * @param {T} initial
 */
export function store(initial) {
  let value = initial;
  /** @type {Set<(value: T, before: T) => void>} */
  const listeners = new Set();
  return {
    /** @returns {T} */
    get: () => value,
    /** Changes the named fields and tells everybody, if something is different. */
    set(/** @type {Partial<T>} */ change) {
      const before = value;
      if (Object.entries(change).every(([key, item]) => Object.is(before[key], item))) return;
      value = { ...value, ...change };
      for (const listener of [...listeners]) listener(value, before);
    },
    /** Calls now and at each change. Returns what ends it. */
    subscribe(/** @type {(value: T, before: T) => void} */ listener) {
      listeners.add(listener);
      listener(value, value);
      return () => { listeners.delete(listener); };
    },
  };
}

/** What the person chose on this device. Storage may be off: then the choice lasts as long as the page. */
export const preferences = {
  get(/** @type {string} */ name, fallback = "") {
    try { return localStorage.getItem(`foyer.${name}`) ?? fallback; } catch { return fallback; }
  },
  set(/** @type {string} */ name, /** @type {string} */ value) {
    try { localStorage.setItem(`foyer.${name}`, value); } catch { /* The choice lasts as long as the page. */ }
  },
};

/** @type {Map<string, string>} */
const unkept = new Map();

/** What a reload of this tab must not lose, such as a text that is not sent yet. A frame without storage keeps it in memory. */
export const kept = {
  get(/** @type {string} */ name, fallback = "") {
    if (unkept.has(name)) return unkept.get(name) ?? fallback;
    try { return sessionStorage.getItem(`foyer.${name}`) ?? fallback; } catch { return fallback; }
  },
  set(/** @type {string} */ name, /** @type {string} */ value) {
    unkept.delete(name);
    try {
      if (value) sessionStorage.setItem(`foyer.${name}`, value);
      else sessionStorage.removeItem(`foyer.${name}`);
    } catch {
      unkept.set(name, value);
    }
  },
};

const WRITTEN = /^(?:draft\.|key\.|(?:portal|chat)\.question$|urgency\.|new_ticket$|recent_tickets$|outbox$)|^chat\..*\.unsent$/;

/** Forgets what somebody wrote in this tab and did not send, and what they opened. */
export function forgetWritten() {
  for (const name of [...unkept.keys()]) if (WRITTEN.test(name)) unkept.delete(name);
  try {
    for (const name of Object.keys(sessionStorage)) if (WRITTEN.test(name.replace("foyer.", ""))) sessionStorage.removeItem(name);
  } catch { /* Where storage is off nothing else holds it. */ }
}

// @ts-check
/** Calls of /api: credentials, the envelope, repeated writes that are done once, and networks that drop. */

import { comeIn, credentials, forgetting, keep, keepTokens, session } from "./session.js";
import { preferences, store } from "./state.js";
import { refusalWords, languageOf, t } from "./words.js";

/** Whether the last call reached the server. */
export const network = store({ online: true });

// A page of another site cannot send it unasked, so the cookie that stays signed in counts only with it.
const OWN_PAGE = { "X-Requested-With": "Foyer" };

/** Ends at sign-out what the person who leaves asked for. */
let underWay = new AbortController();

/** Whether a call was ended by signing out. Nobody waits for its answer, so nobody is told. */
export const isEnded = (/** @type {any} */ error) => error?.name === "AbortError";

export class ApiError extends Error {
  /** @param {number} status 0 when the server was not reached. @param {string} message @param {any} data @param {string} requestId */
  constructor(status, message, data = {}, requestId = "") {
    super(refusalWords(data?.code) || message);
    this.status = status;
    this.code = data?.code ?? "";
    /** The language of the message, null for that of the page. */
    this.lang = languageOf(!data?.code || Boolean(refusalWords(data.code)));
    this.data = data ?? {};
    /** @type {{field: string, message: string}[]} */
    this.errors = data?.errors ?? [];
    this.requestId = requestId;
  }
}

/**
 * @typedef {object} Result
 * @property {any} data
 * @property {string} message
 * @property {number} total
 * @property {string} etag
 * @property {boolean} unchanged True for 304.
 */

/** @returns {Promise<Result>} */
export const get = (/** @type {string} */ path, /** @type {any} */ query = {}, /** @type {any} */ options = {}) =>
  call("GET", path, { ...options, query });
/** @returns {Promise<Result>} */
export const post = (/** @type {string} */ path, /** @type {any} */ body = {}, /** @type {any} */ options = {}) =>
  call("POST", path, { ...options, body });
/** @returns {Promise<Result>} */
export const patch = (/** @type {string} */ path, /** @type {any} */ body = {}, /** @type {any} */ options = {}) =>
  call("PATCH", path, { ...options, body });
/** @returns {Promise<Result>} */
export const put = (/** @type {string} */ path, /** @type {any} */ body = {}, /** @type {any} */ options = {}) =>
  call("PUT", path, { ...options, body });
/** @returns {Promise<Result>} */
export const remove = (/** @type {string} */ path, /** @type {any} */ body = undefined, /** @type {any} */ options = {}) =>
  call("DELETE", path, { ...options, body });

/** Loads bytes, such as an attached file or an export. @returns {Promise<{blob: Blob, name: string}>} */
export async function download(/** @type {string} */ path, /** @type {any} */ query = {}) {
  const response = await send("GET", path, { query, signal: underWay.signal });
  if (!response.ok) throw await failure(response);
  const name = /filename\*?=(?:UTF-8'')?"?([^";]+)/i.exec(response.headers.get("Content-Disposition") ?? "")?.[1];
  return { blob: await response.blob(), name: decodeURIComponent(name ?? "file") };
}

/** A key for a write: every try with it counts as one. A page without TLS has no randomUUID. */
export const newKey = () => crypto.randomUUID?.() ?? String(Math.random()).slice(2);

/**
 * All rows of a list, in as many calls as it takes.
 * @param {string} path @param {Record<string, any>} [query] @param {number} [most] Rows of one call.
 * @returns {Promise<any[]>}
 */
export async function getAll(path, query = {}, most = 200) {
  const rows = [];
  for (;;) {
    const { data, total } = await get(path, { ...query, limit: most, offset: rows.length || undefined });
    rows.push(...data);
    if (rows.length >= total || !data.length) return rows;
  }
}

/** @returns {Promise<Result>} */
async function call(/** @type {string} */ method, /** @type {string} */ path, /** @type {any} */ options) {
  // One key for every try of a write, so that a repeated one is done once.
  const once = method === "POST" ? { "Idempotency-Key": newKey() } : {};
  const tries = method === "GET" ? 3 : 2;
  const ended = options.anonymous ? {} : { signal: underWay.signal };
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await send(method, path, { ...ended, ...options, headers: { ...once, ...options.headers } });
      return await read(response);
    } catch (error) {
      const lost = error instanceof ApiError && error.status === 0;
      if (!lost || attempt >= tries) throw error;
      await new Promise((resolve) => setTimeout(resolve, 400 * attempt));
    }
  }
}

async function send(/** @type {string} */ method, /** @type {string} */ path, /** @type {any} */ options, renewed = false) {
  const used = options.anonymous ? null : credentials();
  const headers = new Headers({ Accept: "application/json", ...OWN_PAGE, ...options.headers });
  if (used?.key) headers.set("X-API-Key", used.key);
  else if (used?.access) headers.set("Authorization", `Bearer ${used.access}`);
  let body = options.body;
  if (body !== undefined && !(body instanceof FormData) && !(body instanceof Blob)) {
    headers.set("Content-Type", "application/json");
    body = JSON.stringify(body);
  }
  let response;
  try {
    options.signal?.throwIfAborted();
    const url = path + search(options.query);
    response = options.progress ? await sendTelling(url, { method, headers, body, signal: options.signal }, options.progress)
      : await fetch(url, { method, headers, body, signal: options.signal, keepalive: options.keepalive, cache: "no-store" });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    network.set({ online: false });
    throw new ApiError(0, t("common.not_reached"));
  }
  network.set({ online: true });
  if (response.status !== 401 || options.anonymous || !credentials()) return response;
  if (!renewed && used?.refresh && await renew()) return send(method, path, options, true);
  options.signal?.throwIfAborted();
  if (used) endSession();
  return response;
}

/** Like fetch, and tells which share of the body is sent: fetch cannot. @returns {Promise<Response>} */
function sendTelling(/** @type {string} */ url, /** @type {{method: string, headers: Headers, body: any, signal?: AbortSignal}} */ { method, headers, body, signal }, /** @type {(share: number) => void} */ tell) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of headers) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => tell(total ? loaded / total : 0);
    request.onload = () => resolve(new Response(request.responseText, { status: request.status, headers: { "X-Request-ID": request.getResponseHeader("X-Request-ID") ?? "" } }));
    request.onerror = () => reject(new TypeError(url));
    request.onabort = () => reject(signal?.reason);
    signal?.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

/** @returns {Promise<Result>} */
async function read(/** @type {Response} */ response) {
  const etag = response.headers.get("ETag") ?? "";
  if (response.status === 304) return { data: null, message: "", total: 0, etag, unchanged: true };
  if (!response.ok) throw await failure(response);
  const answer = response.status === 204 ? { data: null, message: "" } : await response.json();
  return { ...answer, total: answer.total ?? 0, etag, unchanged: false };
}

async function failure(/** @type {Response} */ response) {
  const requestId = response.headers.get("X-Request-ID") ?? "";
  try {
    const answer = await response.json();
    return new ApiError(response.status, answer.message, answer.data, requestId);
  } catch {
    return new ApiError(response.status, `${response.status} ${response.statusText}`, {}, requestId);
  }
}

function search(/** @type {Record<string, any>|undefined} */ query) {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return pairs.length ? `?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)]))}` : "";
}

/** @type {Promise<boolean>|null} */
let renewal = null;

/** Gets new tokens, once for all calls that wait. @returns {Promise<boolean>} */
function renew() {
  renewal ??= renewTokens().finally(() => { renewal = null; });
  return renewal;
}

async function renewTokens() {
  const refresh = credentials()?.refresh;
  const headers = { "Content-Type": "application/json", Accept: "application/json", ...OWN_PAGE };
  try {
    const body = JSON.stringify(refresh ? { refresh_token: refresh } : {});
    const response = await fetch("/api/auth/refresh", { method: "POST", headers, body });
    if (!response.ok) {
      if (response.status === 401 && !refresh) preferences.set("remembered", "");
      return false;
    }
    const { data } = await response.json();
    if (credentials()?.refresh !== refresh) return false;  // signed out meanwhile
    keepTokens(data);
    return true;
  } catch {
    return false;
  }
}

function endSession() {
  keep(null);
  session.set({ me: null, ended: true });
}

/** Asks who the credentials of this tab belong to. Returns null when there are none, or they are refused. */
export async function identify() {
  if (!credentials() && !(preferences.get("remembered") && await renew())) return null;
  try {
    const me = (await get("/api/me")).data;
    comeIn(me);
    return me;
  } catch (error) {
    if (error instanceof ApiError && error.status === 0) throw error;
    // A company may require a second factor of who has none: nothing else works until it is set up.
    session.set({ lacksFactor: error instanceof ApiError && error.code === "second_factor_setup_required" });
    return null;
  }
}

/** What is done while the credentials still work, before somebody signs out. @type {Set<() => Promise<any>>} */
export const beforeSignOut = new Set();

/** Signs out here; a session of a person ends on the server too. All other calls end, because their answers would be refusals. */
export async function signOut() {
  await Promise.allSettled([...beforeSignOut].map((work) => work()));
  const used = credentials();
  underWay.abort();
  try {
    if (used?.access) await post("/api/auth/logout", { refresh_token: used.refresh || undefined }, { signal: new AbortController().signal });
  } catch { /* The tokens are forgotten here in any case. */ }
  preferences.set("remembered", "");
  keep(null);
  underWay = new AbortController();
  session.set({ me: null, ended: false });
  for (const forget of forgetting) forget();
}

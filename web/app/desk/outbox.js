// @ts-check
/**
 * What is on its way. A text is held for ten seconds, in a chat for three, so that it can be taken back. It is sent too when the page is left,
 * and after a reload: every try has the same Idempotency-Key, so the server does it once.
 */

import { ApiError, beforeSignOut, get, network, newKey, post } from "../api.js";
import { h } from "../dom.js";
import { sendFiles } from "../parts/files.js";
import { toast, toastError } from "../parts/toast.js";
import { forgetting, session } from "../session.js";
import { kept, preferences, store } from "../state.js";
import { number, t } from "../words.js";
import { refresh } from "./changes.js";
import { noteOwn, noteReturn } from "./missed.js";
import { signature } from "./names.js";
import { openTicket } from "./places.js";
import { desk, draftOf, filesOfDraft, keepDraft, keepFiles, opened } from "./state.js";
import { loadTicket } from "./ticket_data.js";

/**
 * @typedef {import("../parts/files.js").Chosen} Chosen
 * @typedef {object} Item
 * @property {string} key @property {string} ticketId @property {number} number @property {string} mode reply, note or resolve.
 * @property {string} body @property {number|undefined} version @property {number} known How many replies were seen.
 * @property {boolean} chat Whether a customer waits in a chat. @property {Chosen[]} files @property {string} state waiting, sending or lost.
 * @property {any} content What is posted: the same in every try, or the server takes it for something else.
 */

export const outbox = store({ items: /** @type {Item[]} */ ([]) });
/** @type {Map<string, {timer: number, close: () => void}>} */
const holds = new Map();
const MOST_IN_CHAT = 3;
const holdSeconds = (/** @type {boolean} */ chat) => Math.min(Number(preferences.get("desk.hold", "10")), chat ? MOST_IN_CHAT : Infinity);
const AGAIN_AFTER = 2_000;

function put(/** @type {Item[]} */ items) {
  outbox.set({ items });
  kept.set("outbox", items.length ? JSON.stringify(items.map((item) => ({ ...item, files: [] }))) : "");
}
const mark = (/** @type {Item} */ item, /** @type {Partial<Item>} */ change) => put(outbox.get().items.map((one) => (one.key === item.key ? Object.assign(one, change) : one)));
const drop = (/** @type {Item} */ item) => put(outbox.get().items.filter((one) => one.key !== item.key));

/** Holds a text, then sends it. */
export function hold(/** @type {Omit<Item, "key"|"state"|"content">} */ text) {
  const item = { ...text, key: newKey(), state: "waiting", content: contentOf(text) };
  put([...outbox.get().items, item]);
  const seconds = holdSeconds(item.chat);
  const [left, stop] = countdown(seconds);
  const closeToast = toast([t(`desk.held_${item.mode}`, { number: String(item.number) }), left], { undo: () => takeBack(item), seconds });
  const close = () => { stop(); closeToast(); };
  holds.set(item.key, { close, timer: window.setTimeout(() => deliver(item), seconds * 1000) });
}

/** The seconds that are left, for the eye only: read aloud each second they would be noise. @returns {[any, () => void]} */
function countdown(/** @type {number} */ seconds) {
  let left = seconds;
  const shown = () => number(left, { style: "unit", unit: "second", unitDisplay: "narrow" });
  const element = h("span", { class: "number left", "aria-hidden": "true" }, shown());
  const timer = setInterval(() => {
    left -= 1;
    if (left <= 0 || !element.isConnected) clearInterval(timer);
    else element.textContent = shown();
  }, 1000);
  return [element, () => clearInterval(timer)];
}

/** Puts a text that was not sent back into the composer. */
export function takeBack(/** @type {Item} */ item) {
  clearTimeout(holds.get(item.key)?.timer);
  holds.get(item.key)?.close();
  holds.delete(item.key);
  drop(item);
  noteReturn(item.ticketId, item.known);
  const now = draftOf(item.ticketId);
  keepDraft(item.ticketId, { mode: item.mode, body: [item.body, now.body].filter(Boolean).join("\n\n") });
  keepFiles(item.ticketId, [...item.files, ...filesOfDraft(item.ticketId)]);
  document.dispatchEvent(new CustomEvent("desk:draft", { detail: item }));
}

const path = (/** @type {Item} */ item) => `/api/tickets/${encodeURIComponent(item.ticketId)}/${item.mode === "resolve" ? "resolve" : "replies"}`;
const contentOf = (/** @type {any} */ item) => ({
  ...(item.mode === "resolve" ? { resolution: item.body } : { body: item.body, internal: item.mode === "note", ...(signature() ? { author_name: signature() } : {}) }),
  ...(item.version ? { version: item.version } : {}),
});

/** What is being sent now. @type {Set<Promise<any>>} */
const sending = new Set();

export function deliver(/** @type {Item} */ item, options = {}) {
  const work = send(item, options).finally(() => sending.delete(work));
  sending.add(work);
  return work;
}

async function send(/** @type {Item} */ item, { leaving = false } = {}) {
  holds.delete(item.key);
  mark(item, { state: "sending" });
  try {
    const attachment_ids = await sendFiles(item.ticketId, item.files, { internal: item.mode === "note", onProgress: () => mark(item, {}) });
    const body = { ...item.content, ...(attachment_ids.length && item.mode !== "resolve" ? { attachment_ids } : {}) };
    const { data } = await post(path(item), body, { headers: { "Idempotency-Key": item.key } });
    if (item.mode !== "resolve") noteOwn(data.id);
    drop(item);
    if (!leaving) await refresh([{ id: item.ticketId }]);
  } catch (error) {
    await failed(item, error);
  }
}

async function failed(/** @type {Item} */ item, /** @type {any} */ error) {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 0) mark(item, { state: "lost" });
  else if (error.code === "in_progress") setTimeout(() => deliver(item), AGAIN_AFTER);
  else if (error.status === 412) await collide(item);
  else {
    takeBack(item);
    if (session.get().me) toastError(error);
  }
}

/** The ticket changed meanwhile. What somebody else wrote is shown before anything is sent; other changes do not matter. */
async function collide(/** @type {Item} */ item) {
  try {
    const { data, total } = await get(`/api/tickets/${encodeURIComponent(item.ticketId)}/replies`, { limit: 200, offset: item.known });
    const written = data.filter((/** @type {any} */ reply) => reply.author_role !== "ai" && reply.author_role !== "system");
    if (!written.length) {
      mark(item, { key: newKey(), version: undefined, content: contentOf({ ...item, version: undefined }) });
      return await deliver(item);
    }
    takeBack(item);
    const who = written.at(-1).author_name || written.at(-1).author_email;
    if (desk.get().ticketId !== item.ticketId) return toast(t("desk.wrote_meanwhile", { who }), { action: { words: t("desk.open"), run: () => openTicket(item.ticketId) } });
    await loadTicket(item.ticketId, { quiet: true });
    document.querySelector(`.thread > [data-key="${CSS.escape(written[0].id)}"]`)?.scrollIntoView({ block: "start" });
    const keep = () => { keepDraft(item.ticketId, { mode: item.mode, body: "" }); keepFiles(item.ticketId, []); document.dispatchEvent(new CustomEvent("desk:draft", { detail: item })); hold({ ...item, version: undefined, known: total + item.known }); };
    opened.set({ conflict: { text: t("desk.wrote_meanwhile", { who }), verb: t("desk.send_anyway"), keep, other: t("desk.keep_editing") } });
  } catch (error) {
    await failed(item, error);
  }
  return undefined;
}

/** Starts: sends what a reload left behind, tries again when the network is back, and sends what is held when the page is left. */
export function startOutbox() {
  let left = [];
  try { left = JSON.parse(kept.get("outbox", "[]")); } catch { /* Nothing can be read, so nothing is sent. */ }
  put(left);
  // What was sent when the page was left may be on its way still.
  for (const item of left) setTimeout(() => deliver(item), AGAIN_AFTER);
  network.subscribe(({ online }) => { if (online) for (const item of outbox.get().items) if (item.state === "lost") deliver(item); });
  addEventListener("pagehide", () => {
    for (const item of outbox.get().items) if (item.state === "waiting" && !item.files.length) post(path(item), item.content, { keepalive: true, headers: { "Idempotency-Key": item.key } }).catch(() => {});
  });
  addEventListener("beforeunload", (event) => { if (outbox.get().items.some((item) => item.files.length || item.state === "lost")) event.preventDefault(); });
  // Whoever signs out wants sent what they sent.
  beforeSignOut.add(async () => {
    for (const item of outbox.get().items) if (item.state === "waiting") { clearTimeout(holds.get(item.key)?.timer); holds.get(item.key)?.close(); await deliver(item, { leaving: true }); }
    await Promise.allSettled(sending);
  });
  // What one person wrote must not be sent in the name of the next.
  forgetting.add(() => {
    for (const { timer, close } of holds.values()) { clearTimeout(timer); close(); }
    holds.clear();
    put([]);
  });
}

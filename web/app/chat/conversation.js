// @ts-check
/** The state of one conversation: its messages, those not sent yet, and following it. It survives a reload of the tab. */

import { ApiError, get, newKey, post } from "../api.js";
import { sendFiles } from "../parts/files.js";
import { credentials, keepTokens, session } from "../session.js";
import { kept, store } from "../state.js";
import { isSolved } from "../values.js";
import { t } from "../words.js";

const BUSY = 2_000, IDLE = 5_000, HIDDEN = 30_000, AWAKE_FOR = 5 * 60_000;

/**
 * `files` are those that are still to be sent, `why` says what is wrong with one. Where only files are left, `body` is "".
 * @typedef {{key: string, body: string, email?: string, person?: boolean, files: import("../parts/files.js").Chosen[], why: string, failed: boolean}} Unsent
 * @param {{company: string}} options @param {{isGuest: boolean}} who
 */
export function conversation({ company }, { isGuest }) {
  const name = `chat.${company}.${isGuest ? "guest" : session.get().me.email || session.get().me.customer_id}`;
  const state = store({
    id: kept.get(`${name}.id`), messages: /** @type {any[]} */ ([]), unsent: /** @type {Unsent[]} */ (unsentOf(name)),
    status: "", escalation: false, loading: false, error: /** @type {any} */ (null), sending: false,
  });
  let etag = "", timer = 0, lastChange = Date.now(), ended = false;

  function setUnsent(/** @type {Unsent[]} */ unsent) {
    const text = unsent.map((one) => ({ ...one, files: [], why: one.files.length ? t("chat.files_lost") : one.why }));
    kept.set(`${name}.unsent`, unsent.length ? JSON.stringify(text) : "");
    state.set({ unsent });
  }
  const mark = (/** @type {string} */ key, /** @type {Partial<Unsent>} */ change) =>
    setUnsent(state.get().unsent.map((one) => (one.key === key ? { ...one, ...change } : one)));

  function setId(/** @type {string} */ id) {
    kept.set(`${name}.id`, id);
    state.set({ id });
  }

  /** Shows what was said before: of this tab, or of a customer's conversation that is still open. */
  async function begin() {
    state.set({ loading: true, error: null });
    try {
      if (!state.get().id && !isGuest) setId((await get("/api/tickets", { source: "chat", status: "open", sort: "-updated_at", limit: 1 })).data[0]?.id ?? "");
      if (state.get().id && !(isGuest && !credentials())) await load();
      state.set({ loading: false });
    } catch (error) {
      if (error instanceof ApiError && [401, 404].includes(error.status)) startAnew();
      state.set({ loading: false, error: error instanceof ApiError && error.status === 404 ? null : error });
    }
    follow();
  }

  async function load() {
    const { data } = await get(`/api/chat/${state.get().id}`);
    if (data.merged_into) setId(data.merged_into);
    state.set({ messages: data.messages, status: data.status, escalation: data.escalation, error: null });
  }

  /** Asks whether something is new; an unchanged conversation costs an empty answer. */
  async function look() {
    const { id, status, sending } = state.get();
    if (id && !sending && !isSolved({ status })) {
      try {
        const after = state.get().messages.at(-1)?.id;
        const answer = await get(`/api/chat/${id}/messages`, { after }, { headers: etag ? { "If-None-Match": etag } : {} });
        if (!answer.unchanged) {
          if (etag || answer.data.length) { await load(); lastChange = Date.now(); }
          etag = answer.etag;
        }
      } catch (error) {
        if (error instanceof ApiError && error.status === 401 && isGuest) startAnew();
      }
    }
    follow();
  }

  function follow(wait = document.hidden ? HIDDEN : Date.now() - lastChange < AWAKE_FOR ? BUSY : IDLE) {
    clearTimeout(timer);
    if (!ended) timer = window.setTimeout(look, wait);
  }

  /** Says something. What does not arrive stays with its words, to be tried again. */
  async function say(/** @type {string} */ body, /** @type {{person?: boolean, email?: string, files?: import("../parts/files.js").Chosen[]}} */ more = {}) {
    const message = { key: newKey(), body, files: [], why: "", ...more, failed: false };
    setUnsent([...state.get().unsent, message]);
    await send(message);
  }

  async function send(/** @type {Unsent} */ { key }) {
    lastChange = Date.now();
    mark(key, { failed: false, why: "" });
    state.set({ sending: true });
    try {
      if (isGuest && !credentials()) keepTokens((await post("/api/auth/guest", { company }, { anonymous: true })).data);
      await deliver(key);
      etag = "";
      await load();
      setUnsent(state.get().unsent.filter((one) => one.key !== key));
    } catch (error) {
      const refused = /** @type {any} */ (error).refused ?? [];
      const files = state.get().unsent.find((one) => one.key === key)?.files ?? [];
      mark(key, { failed: true, files: files.filter((one) => !refused.includes(one)), why: refused.length ? /** @type {any} */ (error).message : "" });
      if (error instanceof ApiError && isGuest && [401, 404].includes(error.status)) startAnew();
      state.set({ error: error instanceof ApiError && error.status && !refused.length ? error : null });
    } finally {
      state.set({ sending: false });
      follow();
    }
  }

  /** Files need a ticket: those of the first message come after it, all others before the words that name them. */
  async function deliver(/** @type {string} */ key) {
    const { body, person, email, files } = /** @type {Unsent} */ (state.get().unsent.find((one) => one.key === key));
    const { id } = state.get(), onProgress = () => mark(key, {});
    const attachment_ids = id && files.length ? await sendFiles(id, files, { onProgress }) : undefined;
    if (!body) return;
    const sent = { message: body, person: person || undefined, customer_email: email || undefined, conversation_id: id || undefined, attachment_ids };
    setId((await post("/api/chat", sent, { headers: { "Idempotency-Key": key } })).data.conversation_id);
    if (id || !files.length) return;
    mark(key, { body: "" });
    await load();
    await sendFiles(state.get().id, files, { onProgress });
  }

  function startAnew() {
    setId("");
    etag = "";
    setUnsent(state.get().unsent.map((one) => (one.failed ? withNewKeys(one) : one)));
    state.set({ messages: [], status: "", escalation: false, error: null });
  }

  async function close() {
    const { data } = await post(`/api/chat/${state.get().id}/close`);
    state.set({ messages: data.messages, status: data.status, escalation: data.escalation });
  }

  const onVisible = () => { if (!document.hidden) follow(0); };
  document.addEventListener("visibilitychange", onVisible);

  /** Follows it no longer: its person signed out. */
  function end() {
    ended = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", onVisible);
  }

  return {
    state, begin, say, send, close, startAnew, end,
    forget: (/** @type {string} */ key) => setUnsent(state.get().unsent.filter((one) => one.key !== key)),
    isOver: () => isSolved(state.get()),
  };
}

/** A message for another conversation: a key stands for one call, and files went to the ticket before. @returns {Unsent} */
const withNewKeys = (/** @type {Unsent} */ message) =>
  ({ ...message, key: newKey(), files: message.files.map((one) => ({ ...one, id: "", key: newKey(), share: 0 })) });

/** Messages that a reload interrupted: nobody knows whether they arrived, so they can be tried again with the same key. */
function unsentOf(/** @type {string} */ name) {
  try {
    return JSON.parse(kept.get(`${name}.unsent`, "[]")).map((/** @type {Unsent} */ one) => ({ ...one, files: one.files ?? [], why: one.why ?? "", failed: true }));
  } catch {
    return [];
  }
}

// @ts-check
/** Files: choosing and sending them, and those that a message has. */

import { ApiError, download, newKey, post } from "../api.js";
import { fill, h } from "../dom.js";
import { fieldWords, number, percent, t } from "../words.js";
import { button } from "./controls.js";
import { icon } from "./icon.js";
import { toastError } from "./toast.js";

export const fileSize = (/** @type {number} */ bytes) => (bytes < 1e6
  ? number(Math.max(1, Math.round(bytes / 1e3)), { style: "unit", unit: "kilobyte", unitDisplay: "short" })
  : number(bytes / 1e6, { style: "unit", unit: "megabyte", unitDisplay: "short", maximumFractionDigits: 1 }));

/**
 * A file that somebody chose. `id` is there once it has arrived; every try to send it has the same `key`, so it arrives once.
 * @typedef {{file: File, id: string, key: string, share: number}} Chosen
 */

const MOST_BYTES = 32 * 1024 * 1024; // the server hangs up on more (api/attachments.py); a company may accept less
const REFUSED = new Set([400, 403, 404, 409, 413, 415]);

/**
 * A button to choose files and the list of those chosen. `.opener` and `.list` may stand elsewhere.
 * `.send(ticketId)` attaches each once and answers their ids; a second call goes on where the first failed.
 * @param {{iconOnly?: boolean, changed?: (chosen: Chosen[]) => void}} [options]
 */
export function filePicker({ iconOnly = false, changed = () => {} } = {}) {
  /** @type {Chosen[]} */
  let chosen = [];
  const input = h("input", { type: "file", multiple: true, hidden: true, onchange: () => { add([...input.files]); input.value = ""; } });
  const list = h("div", { class: "files" });
  const choose = button(t("files.add"), () => input.click(), iconOnly ? { icon: "paperclip", iconOnly, kind: "quiet" } : { icon: "paperclip" });
  const opener = h("div", {}, choose, input);
  const draw = () => fill(list, chosen.map((one) => chosenFile(one, () => { set(chosen.filter((other) => other !== one)); choose.focus(); })));

  function set(/** @type {Chosen[]} */ files) {
    chosen = files;
    changed(chosen);
    draw();
  }

  const add = (/** @type {File[]} */ files) => set([...chosen, ...files.map((file) => ({ file, id: "", key: newKey(), share: 0 }))]);

  return Object.assign(h("div", { class: "stack tight" }, opener, list), {
    opener, list, set,
    chosen: () => chosen,
    clear: () => set([]),
    send: (/** @type {string} */ ticketId) => sendFiles(ticketId, chosen, { onProgress: draw }),
    /** Also takes files that are dropped on an element or pasted into it. */
    takeFrom(/** @type {HTMLElement} */ element) {
      element.addEventListener("dragover", (event) => event.preventDefault());
      element.addEventListener("drop", (event) => { event.preventDefault(); add([...(event.dataTransfer?.files ?? [])]); });
      element.addEventListener("paste", (event) => {
        const files = [...(event.clipboardData?.files ?? [])];
        if (files.length) { event.preventDefault(); add(files); }
      });
    },
  });
}

/** A file that is not there yet: its name and size, how far it is, and a button to take it away. */
export function chosenFile(/** @type {Chosen} */ { file, id, share }, /** @type {(() => void)|null} */ remove = null) {
  const isOnItsWay = share > 0 && !id;
  return h("span", { class: "file" }, icon(id ? "circle-check" : "paperclip"), h("span", { class: "cut" }, file.name),
    isOnItsWay ? h("progress", { max: "1", value: share, "aria-label": t("files.sending", { name: file.name }) }) : null,
    h("span", { class: "soft small number" }, isOnItsWay ? percent(share) : fileSize(file.size)),
    remove && !isOnItsWay ? button(t("files.remove", { name: file.name }), remove, { icon: "x", kind: "quiet tiny", iconOnly: true }) : null);
}

/**
 * Attaches each file to a ticket once, and answers their ids. One that the server refuses keeps no other from being sent:
 * the error says why for each refused file, and holds those files as `refused`.
 * @param {string} ticketId @param {Chosen[]} chosen @param {{internal?: boolean, onProgress?: () => void}} [options] `onProgress` is called as they go.
 */
export async function sendFiles(ticketId, chosen, { internal = false, onProgress = () => {} } = {}) {
  /** @type {Chosen[]} */
  const refused = [];
  const reasons = [];
  for (const one of chosen) {
    if (one.id) continue;
    try {
      one.id = await sendFile(ticketId, one, { internal, onProgress });
    } catch (error) {
      const { status, errors, message } = /** @type {ApiError} */ (error);
      one.share = 0;
      if (!REFUSED.has(status)) throw error;
      one.key = newKey();
      refused.push(one);
      reasons.push(t("files.refused", { name: one.file.name, why: errors[0] ? fieldWords(errors[0].message) : message }));
    } finally {
      onProgress();
    }
  }
  if (refused.length) throw Object.assign(new ApiError(400, reasons.join("\n")), { refused });
  return chosen.map((one) => one.id);
}

async function sendFile(/** @type {string} */ ticketId, /** @type {Chosen} */ one, /** @type {{internal: boolean, onProgress: () => void}} */ { internal, onProgress }) {
  if (one.file.size > MOST_BYTES) throw new ApiError(413, t("files.too_large", { most: fileSize(MOST_BYTES) }));
  const form = new FormData();
  form.append("content", one.file, one.file.name);
  if (internal) form.append("internal", "true");
  const progress = (/** @type {number} */ share) => { one.share = share; onProgress(); };
  return (await post(`/api/tickets/${encodeURIComponent(ticketId)}/attachments`, form, { progress, headers: { "Idempotency-Key": one.key } })).data.id;
}

/** The files of a message, as buttons: a plain link would be refused, since it carries no credentials. */
export function fileList(/** @type {any[]} */ files) {
  if (!files.length) return null;
  return h("ul", { class: "files", "aria-label": t("files.attached") }, files.map((file) => h("li", { class: "grow-none" },
    button([icon("download"), h("span", { class: "cut" }, file.name), h("span", { class: "soft small" }, fileSize(file.size))], () => saveFile(`/api/attachments/${encodeURIComponent(file.id)}`, {}, file.name), { kind: "file" }))));
}

/** Saves bytes as a file of the person. */
export function saveBlob(/** @type {Blob} */ blob, /** @type {string} */ name) {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Loads a file of the server and saves it; without a name, under the server's. */
export async function saveFile(/** @type {string} */ path, /** @type {any} */ query = {}, fileName = "") {
  try {
    const { blob, name } = await download(path, query);
    saveBlob(blob, fileName || name);
  } catch (error) {
    toastError(error);
  }
}

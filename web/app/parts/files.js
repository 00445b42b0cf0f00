// @ts-check
/** Files: choosing and sending them, and those that a message has. */

import { download, post } from "../api.js";
import { fill, h } from "../dom.js";
import { number, t } from "../words.js";
import { button } from "./controls.js";
import { icon } from "./icon.js";
import { toastError } from "./toast.js";

export const fileSize = (/** @type {number} */ bytes) => (bytes < 1e6
  ? number(Math.max(1, Math.round(bytes / 1e3)), { style: "unit", unit: "kilobyte", unitDisplay: "short" })
  : number(bytes / 1e6, { style: "unit", unit: "megabyte", unitDisplay: "short", maximumFractionDigits: 1 }));

/**
 * A button to choose files and the list of those chosen.
 * `.send(ticketId)` attaches each once and answers their ids; a second call goes on where the first failed.
 */
export function filePicker() {
  /** @type {{file: File, id: string}[]} */
  let chosen = [];
  const input = h("input", { type: "file", multiple: true, hidden: true, onchange: add });
  const list = h("div", { class: "files" });
  function add() {
    chosen = [...chosen, ...[...input.files].map((file) => ({ file, id: "" }))];
    input.value = "";
    draw();
  }
  function draw() {
    fill(list, chosen.map((one) => h("span", { class: "file" }, icon("paperclip"), h("span", { class: "cut" }, one.file.name),
      h("span", { class: "soft small" }, fileSize(one.file.size)),
      button(t("files.remove", { name: one.file.name }), () => { chosen = chosen.filter((other) => other !== one); draw(); opener.focus(); }, { icon: "x", kind: "quiet", iconOnly: true }))));
  }
  const opener = button(t("files.add"), () => input.click(), { icon: "paperclip" });
  return Object.assign(h("div", { class: "stack tight" }, h("div", {}, opener, input), list), {
    isEmpty: () => !chosen.length,
    clear() { chosen = []; draw(); },
    async send(/** @type {string} */ ticketId) {
      for (const one of chosen) {
        if (one.id) continue;
        const form = new FormData();
        form.append("content", one.file, one.file.name);
        one.id = (await post(`/api/tickets/${ticketId}/attachments`, form)).data.id;
      }
      return chosen.map((one) => one.id);
    },
  });
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

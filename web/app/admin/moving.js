// @ts-check
/** Bringing tickets in, and taking everything out. */

import { fill, h } from "../dom.js";
import { download, get, post } from "../api.js";
import { button, chip } from "../parts/controls.js";
import { into } from "../parts/states.js";
import { toastError } from "../parts/toast.js";
import { may } from "../session.js";
import { preferences } from "../state.js";
import { moment, number, percent, t, word } from "../words.js";
import { features } from "./features.js";
import { controls, read } from "../parts/forms.js";
import { errorList } from "./knowledge_import.js";
import { ticketImport } from "./moving_import.js";
import { attempt, head, part } from "./parts.js";

export function showMoving(/** @type {HTMLElement} */ root) {
  root.append(head(t("admin.nav.moving"), t("admin.moving.about")),
    may("import") ? part(t("admin.moving.import"), t("admin.moving.import_about"), ticketImport()) : "",
    part(t("admin.moving.export"), t("admin.moving.export_about"), tickets()),
    part(t("admin.moving.everything"), t("admin.moving.everything_about"), transfer()));
}

/** Saves bytes of the server as a file of the person. */
async function save(/** @type {string} */ path, /** @type {any} */ query = {}) {
  try {
    const { blob, name } = await download(path, query);
    const url = URL.createObjectURL(blob);
    h("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  } catch (error) {
    toastError(error);
  }
}

function tickets() {
  const fields = controls([
    { name: "created_after", label: t("admin.moving.after"), kind: "moment" },
    { name: "created_before", label: t("admin.moving.before"), kind: "moment" },
  ]);
  return h("div", { class: "card stack" }, h("div", { class: "two" }, Object.values(fields)), h("div", { class: "line" }, ["csv", "xlsx", "json"].map((format) =>
    button(word("admin.file_format", format), () => save("/api/export", { format, ...read(fields) }), { icon: "download" }))));
}

/** The newest transfer that was asked for on this device. */
function transfer() {
  const place = h("div", { class: "card stack", role: "status" });
  const start = button(t("admin.moving.start"), () => attempt(async () => {
    const answer = await post("/api/transfers", { kind: "export" });
    preferences.set("transfer", answer.data.id);
    follow();
    return answer;
  }), { icon: "download", kind: "primary" });
  async function follow() {
    const id = preferences.get("transfer");
    if (!id) return fill(place, h("div", {}, start));
    try {
      const { data } = await get(`/api/transfers/${id}`);
      fill(place, state(data), ["waiting", "running"].includes(data.state) ? null : h("div", { class: "line" }, data.state === "done" && data.kind === "export" ? button(t("admin.moving.download", { size: size(data.size) }), () => save(`/api/transfers/${id}/file`), { icon: "download", kind: "primary" }) : null, start));
      if (["waiting", "running"].includes(data.state)) setTimeout(() => place.isConnected && follow(), 1500);
    } catch (error) {
      // It may be of another company that was signed in on this device.
      if (/** @type {any} */ (error).status === 404) preferences.set("transfer", "");
      fill(place, /** @type {any} */ (error).status === 404 ? h("div", {}, start) : h("p", { class: "wrong" }, t("common.not_reached")));
    }
    return undefined;
  }
  into(place, async () => { await follow(); return [...place.childNodes]; }, null);
  return h("div", { class: "stack" }, place, features.transferImport ? null : h("p", { class: "soft small" }, t("admin.moving.import_elsewhere")));
}

function state(/** @type {any} */ data) {
  const share = data.total ? data.done / data.total : 0;
  const running = ["waiting", "running"].includes(data.state);
  return h("div", { class: "stack tight" }, h("div", { class: "line" }, chip(word("admin.transfer_state", data.state), /** @type {any} */ ({ done: "green", failed: "red" })[data.state] ?? ""), h("span", { class: "soft" }, moment(data.created_at))),
    running ? h("progress", { max: String(data.total || 1), value: String(data.done), "aria-label": t("admin.moving.progress") }) : null,
    running ? h("p", { class: "soft" }, t("admin.moving.done_of", { done: data.done, total: data.total, share: percent(share) })) : null, errorList(data.errors));
}

const size = (/** @type {number} */ bytes) => (bytes > 900_000 ? number(bytes / 1_000_000, { style: "unit", unit: "megabyte", maximumFractionDigits: 1 }) : number(Math.max(1, Math.round(bytes / 1000)), { style: "unit", unit: "kilobyte" }));

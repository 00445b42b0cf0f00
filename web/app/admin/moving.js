// @ts-check
/** Bringing tickets in, and taking everything out. */

import { h } from "../dom.js";
import { button } from "../parts/controls.js";
import { saveFile } from "../parts/files.js";
import { controls, read } from "../parts/forms.js";
import { may } from "../session.js";
import { t, word } from "../words.js";
import { ticketImport } from "./moving_import.js";
import { head, part } from "./parts.js";
import { transfer } from "./transfer.js";

export function showMoving(/** @type {HTMLElement} */ root) {
  root.append(head(t("admin.nav.moving"), t("admin.moving.about")),
    may("import") ? part(t("admin.moving.import"), t("admin.moving.import_about"), ticketImport()) : "",
    part(t("admin.moving.export"), t("admin.moving.export_about"), tickets()),
    part(t("admin.moving.everything"), t("admin.moving.everything_about"), transfer()));
}

function tickets() {
  const fields = controls([
    { name: "created_after", label: t("admin.moving.after"), kind: "moment" },
    { name: "created_before", label: t("admin.moving.before"), kind: "moment" },
  ]);
  return h("div", { class: "card stack" }, h("div", { class: "two" }, Object.values(fields)), h("div", { class: "line" }, ["csv", "xlsx", "json"].map((format) =>
    button(word("admin.file_format", format), () => saveFile("/api/export", { format, ...read(fields) }), { icon: "download" }))));
}

// @ts-check
/** Bringing tickets in, and taking everything out. */

import { h } from "../dom.js";
import { button } from "../parts/controls.js";
import { saveFile } from "../parts/files.js";
import { controls, read } from "../parts/forms.js";
import { may } from "../session.js";
import { t, word } from "../words.js";
import { ticketImport } from "./ticket_import.js";
import { head, part } from "./parts.js";
import { transfer } from "./transfer.js";

export function showImportExport(/** @type {HTMLElement} */ root) {
  root.append(head(t("admin.nav.import_export"), t("admin.import_export.about")),
    may("import") ? part(t("admin.import_export.import"), t("admin.import_export.import_about"), ticketImport()) : "",
    part(t("admin.import_export.export"), t("admin.import_export.export_about"), tickets()),
    part(t("admin.import_export.everything"), t("admin.import_export.everything_about"), transfer()));
}

function tickets() {
  const fields = controls([
    { name: "created_after", label: t("admin.import_export.after"), kind: "moment" },
    { name: "created_before", label: t("admin.import_export.before"), kind: "moment" },
  ]);
  return h("div", { class: "card stack" }, h("div", { class: "two" }, Object.values(fields)), h("div", { class: "line" }, ["csv", "xlsx", "json"].map((format) =>
    button(word("admin.file_format", format), () => saveFile("/api/export", { format, ...read(fields) }), { icon: "download" }))));
}

// @ts-check
/** A file of tickets: which column is which field, what the first rows would be, and what became of all. */

import { fill, h } from "../dom.js";
import { ApiError, post } from "../api.js";
import { button, checkbox, chip, field } from "../parts/controls.js";
import { t, word } from "../words.js";
import { firstRows } from "./csv.js";
import { errorList } from "./knowledge_import.js";
import { facts } from "./try_routing.js";

const FIELDS = ["title", "description", "customer_email", "customer_name", "customer_id", "customer_tier", "product", "category", "priority", "status", "tags", "source",
  "external_id", "assigned_to", "created_at", "resolution", "resolved_at", "closed_at"];

/** What a check says in place of what an import says. @type {Record<string, string>} */
const WOULD = { created: "would_create", customers: "would_customers" };

export function ticketImport() {
  const file = field(t("admin.import_export.file"), { name: "file", type: "file", accept: ".csv,.xlsx,.json,.jsonl,.ndjson", about: t("admin.import_export.file_about") });
  const mapping = h("div", { class: "stack" });
  const result = h("div", { class: "stack", role: "status" });
  file.input.addEventListener("change", async () => {
    const chosen = file.input.files[0];
    fill(result);
    if (!chosen) return fill(mapping);
    const isCsv = /\.(csv|txt|tsv)$/i.test(chosen.name);
    return fill(mapping, plan(chosen, isCsv ? await firstRows(chosen) : { columns: [], rows: [] }, result));
  });
  return h("div", { class: "card stack" }, file, mapping, result);
}

function plan(/** @type {File} */ file, /** @type {{columns: string[], rows: string[][]}} */ { columns, rows }, /** @type {HTMLElement} */ result) {
  const ignore = checkbox(t("admin.import_export.ignore"), { name: "ignore_unknown", checked: true, about: t("admin.import_export.ignore_about") });
  const options = [{ value: "", words: t("admin.import_export.by_name") }, ...FIELDS.map((value) => ({ value, words: word("admin.ticket_field", value) }))];
  const chosen = columns.map((name) => field(name, { name: "column", labelHidden: true, options, value: FIELDS.includes(name.trim().toLowerCase().replaceAll(" ", "_")) ? name.trim().toLowerCase().replaceAll(" ", "_") : "" }));
  const map = () => columns.map((name, at) => [name, chosen[at].input.value]).filter(([name, value]) => value && value !== name).map((pair) => pair.join(":")).join(",");
  const query = (/** @type {boolean} */ dry) => ({ map: map(), ignore_unknown: ignore.input.checked, dry_run: dry });
  const run = h("div", { class: "line" }, button(t("admin.import_export.check"), () => bring(file, query(true), result), { icon: "eye" }),
    button(t("admin.import_export.import_now", { name: file.name }), () => bring(file, query(false), result), { icon: "upload", kind: "primary" }));
  return [columns.length ? h("div", { class: "cards-when-narrow" }, h("table", {}, h("thead", {}, h("tr", {}, [t("admin.import_export.column"), t("admin.import_export.field"), t("admin.import_export.holds")].map((words) => h("th", { scope: "col" }, words)))),
    h("tbody", {}, columns.map((name, at) => h("tr", {}, h("td", { "data-label": t("admin.import_export.column") }, h("strong", {}, name)), h("td", { "data-label": t("admin.import_export.field") }, chosen[at]),
      h("td", { class: "soft", "data-label": t("admin.import_export.holds") }, rows.map((row) => row[at]).filter(Boolean).slice(0, 2).map((text) => h("div", { class: "sample-cell" }, text.slice(0, 80))))))))) : null, ignore, run];
}

async function bring(/** @type {File} */ file, /** @type {any} */ query, /** @type {HTMLElement} */ result) {
  fill(result, h("progress", { "aria-label": t("admin.import_export.progress") }));
  const body = new FormData();
  body.append("file", file);
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value).map(([key, value]) => [key, String(value)]));
  try {
    const { data } = await post(`/api/import?${search}`, body);
    fill(result, h("p", { class: `notice ${data.rejected ? "amber" : "green"}` }, t(query.dry_run ? "admin.import_export.checked" : "admin.import_export.imported")),
      facts(["read", "created", "skipped", "rejected", "customers"].map((name) => [t(`admin.import_export.${(query.dry_run && WOULD[name]) || name}`), String(data[name])])),
      data.ignored.length ? h("p", {}, t("admin.import_export.left_out"), " ", data.ignored.map((/** @type {string} */ name) => [chip(name), " "])) : null, errorList(data.errors));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    fill(result, h("p", { class: "notice red" }, error.message), errorList(error.errors));
  }
}

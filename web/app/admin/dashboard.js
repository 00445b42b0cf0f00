// @ts-check
/** The dashboard: GET /api/stats for a range and a team, and one count of what is overdue. */

import { get } from "../api.js";
import { barChart, heatMap, lineChart, shareBar } from "../charts.js";
import { fill, h } from "../dom.js";
import { address, go, place } from "../route.js";
import { button, field } from "../parts/controls.js";
import { menu } from "../parts/dialog.js";
import { saveFile } from "../parts/files.js";
import { into, skeleton } from "../parts/states.js";
import { toastError } from "../parts/toast.js";
import { duration, language, number, percent, t, word } from "../words.js";

const RANGES = ["7", "30", "90", "all"];
const DAY = 86_400_000;
// A trend of fewer tickets says nothing.
const ENOUGH = 20;
// As the views of the desk count.
const OF_QUEUE = { status: "open", snoozed: false };

/** Fills the section of the dashboard. */
export function showDashboard(/** @type {Element} */ root) {
  const { query } = place();
  const chosen = { range: query.get("range") ?? "30", from: query.get("from") ?? "", to: query.get("to") ?? "", team: query.get("team") ?? "" };
  const content = h("div", { class: "stack" });
  fill(root, h("header", { class: "line between" }, h("h1", {}, t("dashboard.title")), controls(chosen)), content);
  into(content, () => load(chosen), skeleton(6));
}

/** @typedef {{range: string, from: string, to: string, team: string}} Chosen */

function period(/** @type {Chosen} */ { range, from, to }) {
  if (range === "own") return { from, to };
  if (range === "all") return {};
  return { from: new Date(Date.now() - Number(range) * DAY).toISOString() };
}

async function load(/** @type {Chosen} */ chosen) {
  const query = { ...period(chosen), team: chosen.team };
  const count = (/** @type {any} */ filters) => get("/api/tickets", { ...OF_QUEUE, ...filters, assigned_team: chosen.team, limit: 1 });
  const [stats, overdue, notTaken] = await Promise.all([get("/api/stats", query), count({ sla_status: "breached" }), count({ unassigned: true })]);
  return parts(stats.data, overdue.total, notTaken.total, chosen);
}

function controls(/** @type {Chosen} */ chosen) {
  const change = (/** @type {any} */ values) => go(address([], { ...chosen, ...values }), { replace: true });
  const ranges = h("div", { class: "line", role: "group", "aria-label": t("dashboard.range") },
    [...RANGES, "own"].map((range) => button(t(`dashboard.range_${range}`), () => change({ range }), { "aria-pressed": String(range === chosen.range) })));
  const day = (/** @type {"from"|"to"} */ name) => field(t(`dashboard.${name}`), {
    name, type: "date", value: chosen[name], labelHidden: true, "aria-label": t(`dashboard.${name}`),
    onchange: (/** @type {any} */ event) => change({ [name]: event.target.value }),
  });
  const team = h("select", { "aria-label": t("dashboard.team"), onchange: () => change({ team: team.value }) }, h("option", { value: "" }, t("dashboard.every_team")));
  get("/api/lookups/teams").then(({ data }) => team.append(...data.map((/** @type {any} */ item) =>
    h("option", { value: item.key, selected: item.key === chosen.team }, item.label)))).catch(toastError);
  const files = button(t("dashboard.download"), () => menu(files, ["csv", "xlsx"].map((format) => ({
    words: t(`dashboard.as_${format}`), run: () => saveFile("/api/stats/export", { ...period(chosen), team: chosen.team, format: format === "csv" ? "" : format }),
  }))), { icon: "download" });
  return h("div", { class: "line" }, ranges, chosen.range === "own" ? [day("from"), day("to")] : null, h("div", {}, team), files);
}

function parts(/** @type {any} */ stats, /** @type {number} */ overdue, /** @type {number} */ notTaken, /** @type {Chosen} */ chosen) {
  const queue = (/** @type {any} */ query) => `/desk?${new URLSearchParams({ ...query, ...(chosen.team ? { assigned_team: chosen.team } : {}) })}`;
  const changes = new Map(stats.changes.map((/** @type {any} */ row) => [row.key, row]));
  const trend = (/** @type {string} */ name) => trendOf(changes.get(name), stats);
  const days = stats.created_per_day.map((/** @type {any} */ row) => shortDay(row.key));
  return [
    h("ul", { class: "figures" },
      figure("open", number(stats.open_tickets), { href: queue({ status: "open" }), change: trend("open_tickets") }),
      figure("not_taken", number(notTaken), { href: queue({ ...OF_QUEUE, unassigned: true }) }),
      figure("overdue", number(overdue), { href: queue({ ...OF_QUEUE, sla_status: "breached" }), bad: overdue > 0 }),
      figure("first_answer", length(stats.first_response_seconds_median), { change: trend("first_response_seconds_median") }),
      figure("csat", stats.csat_count ? number(stats.csat_average, { minimumFractionDigits: 1, maximumFractionDigits: 1 }) : "–", { about: t("dashboard.ratings", { n: stats.csat_count }), change: trend("csat_average") })),
    h("div", { class: "charts" },
      lineChart(t("dashboard.opened_and_resolved"), days, [
        { name: t("dashboard.opened"), values: counts(stats.created_per_day) }, { name: t("dashboard.resolved"), values: counts(stats.resolved_per_day) }]),
      barChart(t("dashboard.backlog_by_age"), stats.backlog_by_age.map((/** @type {any} */ row) => t(`dashboard.age_${row.key}`)), { name: t("dashboard.open_tickets"), values: counts(stats.backlog_by_age) }),
      heatMap(t("dashboard.by_hour"), weekdays(), t("dashboard.opened"), Array.from({ length: 7 }, (_, day) => counts(stats.by_hour.slice(day * 24, day * 24 + 24)))),
      aiShare(stats),
      shareBar(t("dashboard.by_category"), most(stats.by_category, (key) => word("category", key))),
      tags(stats.by_tag),
      slaByWeek(stats.sla_by_week),
      agreed(stats, trend)),
    agents(stats.agents ?? []),
  ];
}

const counts = (/** @type {any[]} */ rows) => rows.map((row) => row.count);
const length = (/** @type {number|undefined} */ seconds) => (seconds === undefined ? "–" : duration(seconds));
const shortDay = (/** @type {string} */ day) => new Intl.DateTimeFormat(language, { day: "numeric", month: "short", timeZone: "UTC" }).format(new Date(day));
// 5 January 2026 was a Monday.
const weekdays = () => Array.from({ length: 7 }, (_, at) => new Intl.DateTimeFormat(language, { weekday: "short", timeZone: "UTC" }).format(Date.UTC(2026, 0, 5 + at)));

function most(/** @type {any[]} */ rows, /** @type {(key: string) => string} */ name) {
  const sorted = rows.filter((row) => row.count).sort((a, b) => b.count - a.count).map((row) => ({ name: name(row.key), value: row.count }));
  const rest = sorted.splice(4).reduce((sum, row) => sum + row.value, 0);
  return rest ? [...sorted, { name: t("dashboard.other"), value: rest }] : sorted;
}

/** Tags are many, and a ticket has several: so rows, without a share of a whole. */
function tags(/** @type {any[]} */ rows) {
  const sorted = rows.filter((row) => row.count).sort((a, b) => b.count - a.count).slice(0, 6);
  return factRows(t("dashboard.by_tag"), sorted.map((row) => [row.key, number(row.count)]));
}

/** A card with one line for each name and its value. */
const factRows = (/** @type {string} */ title, /** @type {[string, any][]} */ rows) => h("div", { class: "chart card" }, h("h2", { class: "chart-title" }, title),
  rows.length ? h("dl", { class: "stack tight" }, rows.map(([name, value]) => h("div", { class: "line between" }, h("dt", { class: "cut" }, name), h("dd", {}, value)))) : h("p", { class: "soft" }, "–"));

/** The change to the period before in words: "up 12%". "" where there is none to tell. */
function trendOf(/** @type {any} */ row, /** @type {any} */ stats) {
  if (row?.change_percent === undefined) return "";
  if (stats.total_tickets < ENOUGH) return t("dashboard.few");
  const direction = Math.round(row.change_percent) > 0 ? "up" : Math.round(row.change_percent) < 0 ? "down" : "same";
  return t(`dashboard.${direction}`, { share: percent(Math.abs(Math.round(row.change_percent)) / 100) });
}

function figure(/** @type {string} */ name, /** @type {string} */ value, /** @type {any} */ { href = "", change: changed = "", about = "", bad = false }) {
  const words = [h("span", { class: "soft" }, t(`dashboard.${name}`)), h("strong", { class: bad ? "bad" : null }, value), h("span", { class: "small soft" }, [changed, about].filter(Boolean).join(" · ") || " ")];
  return h("li", {}, href ? h("a", { class: "card", href }, words) : h("div", { class: "card" }, words));
}

function aiShare(/** @type {any} */ stats) {
  return shareBar(t("dashboard.ai"), ["confirmed", "assumed", "handed_over", "reopened"].map((name) => ({ name: t(`dashboard.ai_${name}`), value: stats[`ai_${name}`] })),
    h("p", { class: "small soft" }, t("dashboard.ai_rate", { share: percent(stats.ai_resolution_rate / 100) })));
}

/** Agreed times by the week in which tickets were opened. */
function slaByWeek(/** @type {any[]} */ weeks) {
  return lineChart(t("dashboard.sla_by_week"), weeks.map((week) => shortDay(week.key)), [
    { name: t("dashboard.met"), values: weeks.map((week) => week.met) }, { name: t("dashboard.missed"), values: weeks.map((week) => week.breached) }]);
}

function agreed(/** @type {any} */ stats, /** @type {(name: string) => string} */ trend) {
  const rows = [["sla_met", stats.sla_met_percent === undefined ? "–" : percent(stats.sla_met_percent / 100), "sla_met_percent"],
    ["first_answer_p90", length(stats.first_response_seconds_p90), "first_response_seconds_p90"], ["resolution", length(stats.resolution_seconds_median), "resolution_seconds_median"],
    ["resolution_p90", length(stats.resolution_seconds_p90), "resolution_seconds_p90"]];
  return factRows(t("dashboard.times"), rows.map(([name, value, key]) => [t(`dashboard.${name}`), [value, trend(key) ? h("span", { class: "small soft" }, ` · ${trend(key)}`) : null]]));
}

function agents(/** @type {any[]} */ rows) {
  if (!rows.length) return null;
  const columns = [["open", (/** @type {any} */ row) => number(row.open)], ["resolved", (/** @type {any} */ row) => number(row.resolved)],
    ["replies", (/** @type {any} */ row) => number(row.replies)], ["first_answer", (/** @type {any} */ row) => length(row.first_response_seconds_median)],
    ["sla_met", (/** @type {any} */ row) => (row.sla_met_percent === undefined ? "–" : percent(row.sla_met_percent / 100))],
    ["csat", (/** @type {any} */ row) => (row.csat_count ? `${number(row.csat_average)} (${number(row.csat_count)})` : "–")]];
  return h("section", { class: "card" }, h("h2", { class: "chart-title" }, t("dashboard.agents")), h("div", { class: "cards-when-narrow" }, h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("dashboard.agent")), columns.map(([name]) => h("th", { scope: "col", class: "number" }, t(`dashboard.${name}`))))),
    h("tbody", {}, rows.map((row) => h("tr", {}, h("th", { scope: "row" }, h("a", { href: `/desk?${new URLSearchParams({ assigned_to: row.agent, status: "open" })}` }, row.agent)),
      columns.map(([name, show]) => h("td", { class: "number", "data-label": t(`dashboard.${name}`) }, /** @type {any} */ (show)(row)))))))));
}

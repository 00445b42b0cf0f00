// @ts-check
/** Every admin page: its address, its name, what one must be allowed to see it, and what fills it. */

import { showAi } from "./ai.js";
import { showAudit } from "./audit.js";
import { showDashboard } from "./dashboard.js";
import { showHours } from "./hours.js";
import { showIncidents } from "./incidents.js";
import { showJobs } from "./jobs.js";
import { showKeys } from "./keys.js";
import { showGaps } from "./gaps.js";
import { showKnowledge } from "./knowledge.js";
import { showMacros } from "./macros.js";
import { showMe } from "./me.js";
import { showImportExport } from "./import_export.js";
import { showNotices } from "./notices.js";
import { showUsers } from "./users.js";
import { showRouting } from "./routing.js";
import { showSettings } from "./settings.js";
import { showTeams } from "./teams.js";
import { showTopics } from "./topics.js";
import { showViews } from "./views.js";
import { showWebhooks } from "./webhooks.js";

/**
 * @typedef {object} Section
 * @property {string} path After /admin/; the dashboard's is empty and comes first.
 * @property {string} words
 * @property {string} sign Its icon.
 * @property {string} group
 * @property {string} may The permission it takes; "" for everybody.
 * @property {(root: HTMLElement, place: import("../route.js").Place) => void} show
 */

export const GROUPS = ["overview", "company", "work", "answers", "connections", "operation", "own"];

/** @type {Section[]} */
export const SECTIONS = [
  section("", "chart-column", "overview", "stats.read", showDashboard),
  section("users", "users", "company", "users.read", showUsers),
  section("teams", "users-round", "company", "settings.read", showTeams),
  section("keys", "key-round", "company", "keys.read", showKeys),
  section("settings", "settings", "company", "settings.read", showSettings),
  section("routing", "route", "work", "settings.read", showRouting),
  section("hours", "clock", "work", "settings.read", showHours),
  section("macros", "command", "work", "tickets.work", showMacros),
  section("views", "bookmark", "work", "tickets.work", showViews),
  section("topics", "tag", "work", "tickets.work", showTopics),
  section("incidents", "flame", "work", "tickets.work", showIncidents),
  section("knowledge", "book-open", "answers", "knowledge.write", showKnowledge),
  section("gaps", "circle-question-mark", "answers", "stats.read", showGaps),
  section("ai", "sparkles", "answers", "settings.read", showAi),
  section("notices", "mail", "connections", "settings.read", showNotices),
  section("webhooks", "webhook", "connections", "webhooks.read", showWebhooks),
  section("import_export", "arrow-up-down", "connections", "export", showImportExport),
  section("audit", "history", "operation", "audit.read", showAudit),
  section("jobs", "refresh-cw", "operation", "jobs.read", showJobs),
  section("me", "user", "own", "", showMe),
];

function section(/** @type {string} */ path, /** @type {string} */ sign, /** @type {string} */ group, /** @type {string} */ may, /** @type {any} */ show) {
  return { path, words: `admin.nav.${path || "dashboard"}`, sign, group, may, show };
}

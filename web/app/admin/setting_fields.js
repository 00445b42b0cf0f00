// @ts-check
/** Which settings there are, under which subject, and how each is shown. A setting that is not named here comes last, by its value. */

import { choices, control } from "../parts/forms.js";
import { t, word } from "../words.js";

/** Settings by subject, for the page of settings. */
export const SUBJECTS = {
  tickets: ["auto_close_days", "reopen_days", "escalate_after_minutes", "incidents_enabled", "incident_customers"],
  mail: ["support_email", "urgent_digest_minutes", "mail_name", "reply_to", "inbound_addresses", "recipient_mails_per_hour", "company_mails_per_hour"],
  access: ["require_second_factor", "registration", "chat_guests", "chat_origins"],
  files: ["attachment_megabytes", "attachment_types"],
  privacy: ["retention_days"],
};
export const AI = {
  model: ["ai_enabled", "ai_triage", "ai_tone"],
  chat: ["human_first", "chat_idle_minutes"],
  cost: ["ai_input_price", "ai_output_price", "ai_daily_budget_usd"],
};
export const TOPICS = { topics: ["tag_topics", "topic_teams"] };
/** Settings with a page of their own. */
export const ELSEWHERE = ["sla", "hours", ...Object.values(AI).flat(), ...TOPICS.topics];
/** What takes `clear` to be emptied. */
export const CLEARABLE = ["attachment_types", "support_email", "mail_name", "reply_to", "ai_tone", "inbound_addresses"];

/** @type {Record<string, string[]>} */
const CHOICES = { ai_triage: ["off", "uncertain", "always"], require_second_factor: ["off", "staff"] };

/** The control of a setting, by its name and value. */
export function settingControl(/** @type {string} */ name, /** @type {any} */ value, /** @type {boolean} */ fixed) {
  const about = t(`admin.setting_about.${name}`);
  const shared = { name, label: word("admin.setting", name), about: about.startsWith("admin.") ? "" : about, value, more: { disabled: fixed } };
  if (CHOICES[name]) return control({ ...shared, kind: "choice", options: choices(CHOICES[name], (choice) => word("admin.choice", choice)) });
  if (typeof value === "boolean") return control({ ...shared, kind: "flag" });
  if (typeof value === "number") return control({ ...shared, kind: "number" });
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return control({ ...shared, kind: "lines" });
  return typeof value === "string" ? control(shared) : null;
}

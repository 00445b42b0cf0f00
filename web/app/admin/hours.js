// @ts-check
/** Agreed times and opening hours. */

import { t } from "../words.js";
import { head } from "./parts.js";
import { hoursField } from "./hours_field.js";
import { settingsForm } from "./settings_form.js";
import { slaField } from "./sla_field.js";

export function showHours(/** @type {HTMLElement} */ root) {
  root.append(head(t("admin.nav.hours"), t("admin.hours.about")), settingsForm(() => ({ sla: ["sla"], hours: ["hours"] }), { sla: slaField, hours: hoursField }));
}

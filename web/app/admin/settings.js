// @ts-check
/** The settings that have no page of their own, by subject. */

import { t } from "../words.js";
import { head } from "./parts.js";
import { ELSEWHERE, SUBJECTS } from "./setting_fields.js";
import { settingsForm } from "./settings_form.js";

export function showSettings(/** @type {HTMLElement} */ root) {
  const named = [...ELSEWHERE, ...Object.values(SUBJECTS).flat()];
  root.append(head(t("admin.nav.settings"), t("admin.settings_about")),
    settingsForm((settings) => ({ ...SUBJECTS, other: Object.keys(settings).filter((name) => !named.includes(name)) })));
}

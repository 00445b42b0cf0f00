// @ts-check
/** When a company is open: time zone, hours of each day, holidays. */

import { h } from "../dom.js";
import { t } from "../words.js";
import { control } from "../parts/forms.js";
import { named } from "./lookups.js";
import { cell, rowsField } from "./rows_field.js";

const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

export function hoursField(/** @type {any} */ value, /** @type {boolean} */ fixed) {
  const more = { disabled: fixed };
  const zone = control({ name: "time_zone", label: t("admin.hours.time_zone"), value: value.time_zone, more: { ...more, list: "time-zones" } });
  const zones = h("datalist", { id: "time-zones" }, (Intl.supportedValuesOf?.("timeZone") ?? []).map((name) => h("option", { value: name })));
  const business = control({ name: "business_time", label: t("admin.hours.business_time"), kind: "flag", value: value.business_time, about: t("admin.hours.business_about"), more });
  const country = control({ name: "holidays_country", label: t("admin.hours.country"), value: value.holidays_country, about: t("admin.hours.country_about"), more });
  const own = control({ name: "own_holidays", label: t("admin.hours.own"), kind: "lines", value: value.own_holidays, about: t("admin.hours.own_about"), more });
  const days = rowsField({
    name: "days", label: t("admin.hours.days"), about: t("admin.hours.days_about"), rows: value.days, fixed, add: t("admin.hours.add"),
    heads: [t("admin.hours.day"), t("admin.hours.opens"), t("admin.hours.closes")], fresh: { day: "monday", opens: "09:00", closes: "17:00" },
    make: (row) => {
      const day = cell(t("admin.hours.day"), { value: row.day, options: named("admin.weekday", DAYS) });
      const opens = cell(t("admin.hours.opens"), { value: row.opens, class: "clock", placeholder: "09:00" });
      const closes = cell(t("admin.hours.closes"), { value: row.closes, class: "clock", placeholder: "17:00" });
      return { cells: [day, opens, closes], read: () => ({ day: day.value, opens: opens.value.trim(), closes: closes.value.trim() }) };
    },
  });
  const wrong = h("p", { class: "wrong", role: "alert", hidden: true });
  const element = h("div", { class: "stack" }, zones, h("div", { class: "two" }, zone, country), business, days, own, wrong);
  return Object.assign(element, {
    input: zone.input,
    read: () => ({ time_zone: zone.read(), days: days.read(), holidays_country: country.read(), own_holidays: own.read(), business_time: business.read() }),
    showError: (/** @type {string} */ text) => {
      wrong.textContent = text;
      wrong.hidden = !text;
      zone.input.setAttribute("aria-invalid", text ? "true" : "false");
    },
  });
}


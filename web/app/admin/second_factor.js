// @ts-check
/** The second factor: an authenticator app, set up by a QR code, and recovery codes that are shown once. */

import { h } from "../dom.js";
import { get, post, remove } from "../api.js";
import { button, chip } from "../parts/controls.js";
import { dialog } from "../parts/dialog.js";
import { into } from "../parts/states.js";
import { toast, toastError } from "../parts/toast.js";
import { t } from "../words.js";
import { controls, form, formDialog } from "./forms.js";
import { copyable } from "./parts.js";

export function secondFactor() {
  const place = h("div", { class: "card stack" });
  const reload = () => into(place, async () => state((await get("/api/auth/totp")).data, reload), null);
  reload();
  return place;
}

const codeField = () => controls([{ name: "code", label: t("admin.factor.code"), about: t("admin.factor.code_about"), more: { inputmode: "numeric", autocomplete: "one-time-code" } }]);

function state(/** @type {any} */ data, /** @type {() => void} */ reload) {
  if (!data.enabled) return [h("div", { class: "line" }, chip(t("admin.factor.off"), "amber", "circle-x"), data.required ? h("span", {}, t("admin.factor.required")) : null), h("div", {}, button(t("admin.factor.set_up"), () => setUp(reload), { icon: "smartphone", kind: "primary" }))];
  return [h("div", { class: "line" }, chip(t("admin.factor.on"), "green", "circle-check"), h("span", { class: "soft" }, t("admin.factor.left", { n: data.recovery_codes_left }))),
    h("div", { class: "line" }, button(t("admin.factor.new_codes"), async () => {
      const answer = await formDialog(t("admin.factor.new_codes"), codeField(), (values) => post("/api/auth/totp/recovery", values), { verb: t("admin.factor.new_codes") });
      if (answer) await showCodes(answer);
      reload();
    }), data.required ? null : button(t("admin.factor.switch_off"), async () => {
      const answer = await formDialog(t("admin.factor.switch_off"), codeField(), (values) => remove("/api/auth/totp", values), { verb: t("admin.factor.switch_off") });
      if (answer) toast(answer.message);
      reload();
    }, { kind: "quiet" }))];
}

async function setUp(/** @type {() => void} */ reload) {
  let fresh;
  try {
    fresh = (await post("/api/auth/totp")).data;
  } catch (error) {
    return toastError(error);
  }
  let answer = /** @type {any} */ (null);
  await dialog(t("admin.factor.set_up"), (close) => [h("p", {}, t("admin.factor.scan")), code(fresh), h("details", {}, h("summary", {}, t("admin.factor.by_hand")), copyable(fresh.secret, t("admin.factor.secret"))),
    form(codeField(), (values) => post("/api/auth/totp/confirm", values), { verb: t("admin.factor.confirm"), cancel: close, done: (said) => { answer = said; close(); } })]);
  if (answer) await showCodes(answer);
  return reload();
}

/** The QR code: dark on white in every theme, or apps do not read it. */
function code(/** @type {any} */ { qr_path: path, qr_size: size }) {
  return h("svg", { class: "qr", viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": t("admin.factor.qr") }, h("svg:path", { d: path }));
}

const showCodes = (/** @type {any} */ { data, message }) => dialog(t("admin.factor.codes"), (close) => [h("p", {}, message), copyable(data.recovery_codes.join("\n"), t("admin.factor.codes")),
  h("footer", {}, button(t("admin.factor.download"), () => {
    const url = URL.createObjectURL(new Blob([`${data.recovery_codes.join("\n")}\n`], { type: "text/plain" }));
    h("a", { href: url, download: "foyer-recovery-codes.txt" }).click();
    URL.revokeObjectURL(url);
  }, { icon: "download" }), button(t("admin.kept_it"), close, { kind: "primary" }))]);


// @ts-check
/** The second factor: an authenticator app, set up by a QR code, and recovery codes that are shown once. */

import { h } from "../dom.js";
import { get, post, remove } from "../api.js";
import { focusHeading } from "../route.js";
import { t } from "../words.js";
import { button, chip } from "../parts/controls.js";
import { copyable } from "../parts/copyable.js";
import { dialog } from "../parts/dialog.js";
import { saveBlob } from "../parts/files.js";
import { controls, form, formDialog } from "../parts/forms.js";
import { into } from "../parts/states.js";
import { toast, toastError } from "../parts/toast.js";

/** The state of one's second factor, and changing it. `changed` is called when it was switched on or off. */
export function secondFactor(/** @type {() => any} */ changed = () => {}) {
  const place = h("div", { class: "card stack" });
  let before = /** @type {boolean|null} */ (null);
  const reload = () => into(place, async () => {
    const { data } = await get("/api/auth/totp");
    if (before !== null && before !== data.enabled) changed();
    before = data.enabled;
    return state(data, again);
  }, null);
  // What was pressed is gone by then.
  const again = () => reload().then(() => document.activeElement === document.body && /** @type {any} */ (place.querySelector("button"))?.focus());
  reload();
  return place;
}

/** The page of who must have a second factor and has none yet. `done` is called when it is on. */
export const mustSetUp = (/** @type {() => Promise<any>} */ done) => h("section", { class: "sign-in card" }, h("h1", {}, t("factor.title")), h("p", { class: "notice amber" }, t("factor.required")), secondFactor(() => done().then(focusHeading)));

const codeField = () => controls([{ name: "code", label: t("factor.code"), about: t("factor.code_about"), more: { inputmode: "numeric", autocomplete: "one-time-code" } }]);

function state(/** @type {any} */ data, /** @type {() => void} */ reload) {
  if (!data.enabled) return [h("div", { class: "line" }, chip(t("factor.off"), "amber", "circle-x"), data.required ? h("span", {}, t("factor.required_short")) : null), h("div", {}, button(t("factor.set_up"), () => setUp(reload), { icon: "smartphone", kind: "primary" }))];
  return [h("div", { class: "line" }, chip(t("factor.on"), "green", "circle-check"), h("span", { class: "soft" }, t("factor.left", { n: data.recovery_codes_left }))),
    h("div", { class: "line" }, button(t("factor.new_codes"), async () => {
      const answer = await formDialog(t("factor.new_codes"), codeField(), (values) => post("/api/auth/totp/recovery", values), { verb: t("factor.new_codes") });
      if (answer) await showCodes(answer);
      reload();
    }), data.required ? null : button(t("factor.switch_off"), async () => {
      const answer = await formDialog(t("factor.switch_off"), codeField(), (values) => remove("/api/auth/totp", values), { verb: t("factor.switch_off") });
      if (answer) toast(t("factor.is_off"));
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
  await dialog(t("factor.title"), (close) => [h("p", {}, t("factor.scan")), code(fresh), h("details", {}, h("summary", {}, t("factor.by_hand")), copyable(fresh.secret, t("factor.secret"))),
    form(codeField(), (values) => post("/api/auth/totp/confirm", values), { verb: t("factor.confirm"), cancel: close, done: (said) => { answer = said; close(); } })]);
  if (answer) await showCodes(answer);
  return reload();
}

/** The QR code: dark on white in every theme, or apps do not read it. */
function code(/** @type {any} */ { qr_path: path, qr_size: size }) {
  return h("svg", { class: "qr", viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": t("factor.qr") }, h("svg:path", { d: path }));
}

const showCodes = (/** @type {any} */ { data }) => dialog(t("factor.codes"), (close) => [h("p", {}, t("factor.codes_about")), copyable(data.recovery_codes.join("\n"), t("factor.codes")),
  h("footer", {}, button(t("factor.download"), () => saveBlob(new Blob([`${data.recovery_codes.join("\n")}\n`], { type: "text/plain" }), "foyer-recovery-codes.txt"), { icon: "download" }), button(t("factor.kept_it"), close, { kind: "primary" }))]);


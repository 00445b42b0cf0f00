// @ts-check
/** One webhook: its state and what became of each delivery. */

import { h } from "../dom.js";
import { ApiError, get, patch, post, remove } from "../api.js";
import { button, chip, field, time } from "../parts/controls.js";
import { into } from "../parts/states.js";
import { address, go } from "../route.js";
import { may } from "../session.js";
import { number, t, word } from "../words.js";
import { attempt, ask, back, head, list, none, part, rowMenu, showOnce, table, tabs } from "./parts.js";
import { edit, hostOf, stateOf } from "./webhooks.js";

const COLOURS = /** @type {any} */ ({ delivered: ["green", "circle-check"], dead: ["red", "circle-x"], waiting: ["", "clock"], blocked: ["amber", "clock"] });

export function showWebhook(/** @type {HTMLElement} */ root, /** @type {string} */ id) {
  const place = h("div", { class: "stack" });
  root.append(back(address(["webhooks"]), t("admin.nav.webhooks")), place);
  const load = async () => {
    const { data } = await get("/api/webhooks", { limit: 100 });
    const hook = data.find((/** @type {any} */ row) => row.id === id);
    if (!hook) throw new ApiError(404, t("admin.nav.nothing"));
    return page(hook, () => into(place, load, null));
  };
  into(place, load);
}

function page(/** @type {any} */ hook, /** @type {() => any} */ reload) {
  const name = hook.name || hostOf(hook.url);
  let state = "";
  const log = list({ path: `/api/webhooks/${hook.id}/deliveries`, query: () => ({ state }), view: deliveries, size: 25, none: () => none(state ? t("admin.nothing_found") : t("admin.webhooks.no_deliveries"), state ? "" : t("admin.webhooks.no_deliveries_about"), null, "send") });
  const writes = may("webhooks.write");
  const change = (/** @type {any} */ body) => patch(`/api/webhooks/${hook.id}`, body);
  const test = () => attempt(() => post(`/api/webhooks/${hook.id}/test`), { words: t("admin.webhooks.on_its_way") }).then(() => { for (const wait of [300, 2000, 6000]) setTimeout(() => log.isConnected && log.reload(), wait); });
  const items = [
    { words: t("common.edit"), run: () => edit(hook, reload) },
    { words: hook.active ? t("admin.webhooks.pause") : t("admin.webhooks.resume"), run: async () => {
      await attempt(() => change({ active: !hook.active }), { undo: async () => { await attempt(() => change({ active: hook.active })); reload(); } });
      reload();
    } },
    { words: t("admin.webhooks.rotate"), run: () => attempt(async () => {
      const answer = await change({ rotate_secret: true });
      await showOnce(t("admin.webhooks.secret"), t("admin.webhooks.rotated_about"), answer.data.secret);
    }) },
    { words: t("common.remove"), run: () => ask(t("admin.webhooks.remove", { name }), t("admin.webhooks.remove_about"), t("common.remove"), async () => {
      await remove(`/api/webhooks/${hook.id}`);
      go(address(["webhooks"]));
    }) },
  ];
  const states = ["", "waiting", "delivered", "dead"].map((value) => ({ value, words: value ? word("admin.delivery", value) : t("admin.all") }));
  return [head(name, h("span", {}, hook.url, " ", stateOf(hook)), ...(writes ? [button(t("admin.webhooks.test"), test, { icon: "send" }), rowMenu(name, items)] : [])),
    hook.inactive_reason ? h("p", { class: "notice amber" }, hook.inactive_reason) : null,
    h("p", { class: "soft" }, hook.events.join(", ")),
    part(t("admin.webhooks.log"), t("admin.webhooks.log_about"), h("div", { class: "filters" }, tabs(t("admin.webhooks.state"), states, state, (chosen) => { state = chosen; log.first(); }), button(t("admin.refresh"), () => log.reload(), { icon: "refresh-cw" })), log)];
}

const deliveries = (/** @type {any[]} */ rows, /** @type {() => any} */ reload) => table([
  { words: t("admin.webhooks.event"), cell: (row) => [h("strong", {}, row.event), row.ticket_id ? h("div", { class: "small" }, h("a", { href: `/desk/tickets/${encodeURIComponent(row.ticket_id)}` }, t("admin.ticket"))) : null] },
  { words: t("admin.webhooks.state"), cell: (row) => [chip(word("admin.delivery", row.state), ...COLOURS[row.state] ?? []), row.last_error ? h("div", { class: "soft small" }, row.last_error) : null] },
  { words: t("admin.webhooks.answer"), cell: (row) => (row.last_status ? String(row.last_status) : "–") },
  { words: t("admin.webhooks.tries"), kind: "number", cell: (row) => number(row.attempts) },
  { words: t("admin.webhooks.when"), cell: (row) => time(row.finished_at || row.created_at) },
  { words: "", kind: "end", cell: (row) => (may("webhooks.write") && ["delivered", "dead"].includes(row.state) ? button(t("admin.webhooks.replay"), async () => {
    await attempt(() => post(`/api/deliveries/${row.id}/replay`), { words: t("admin.webhooks.on_its_way") });
    reload();
  }, { icon: "refresh-cw" }) : null) },
], rows, t("admin.webhooks.log"));

/** A made-up event of the chosen kind. */
export function samples(/** @type {string[]} */ names) {
  const shown = h("pre", { tabindex: "0", class: "sample" });
  const choice = field(t("admin.webhooks.event"), { name: "event", options: names.map((name) => ({ value: name, words: name })), value: names[0] });
  const show = () => into(shown, async () => JSON.stringify((await get(`/api/events/samples/${choice.input.value}`)).data, null, 2), null);
  const details = h("details", { class: "card stack", ontoggle: () => { if (details.open) show(); } }, h("summary", { class: "strong" }, t("admin.webhooks.show_sample")), choice, shown);
  choice.input.addEventListener("change", show);
  return details;
}


// @ts-check
/** The bar over the queue while tickets are picked. */

import { h } from "../dom.js";
import { button } from "../parts/controls.js";
import { t } from "../words.js";
import { bulkMacro, editTags, merge, pickAgent, pickPriority, pickStatus, resolve, snooze } from "./actions.js";
import { isOpen } from "../values.js";
import { desk } from "./state.js";

export function bulkBar() {
  const { picked, rows } = desk.get();
  const open = rows.some((row) => picked.has(row.id) && isOpen(row));
  const act = (/** @type {string} */ sign, /** @type {string} */ words, /** @type {() => any} */ run, keys = "") => button(words, () => { run(); }, { icon: sign, iconOnly: true, kind: "quiet", keys });
  return h("div", { class: "bulk line", role: "toolbar", "aria-label": t("desk.bulk") },
    h("span", { class: "line between bulk-head" }, h("strong", { role: "status" }, t("desk.n_picked", { n: picked.size })),
      h("span", { class: "line" }, picked.size < rows.length ? button(t("desk.pick_all"), () => desk.set({ picked: new Set(rows.map((row) => row.id)) }), { kind: "quiet small-button" }) : null,
        act("x", t("desk.pick_none"), () => desk.set({ picked: new Set() })))),
    act("user", t("desk.assign"), pickAgent, "a"), act("circle-dot", t("desk.status"), pickStatus, "s"), act("flag", t("desk.priority"), pickPriority, "p"),
    act("tag", t("desk.tags"), editTags, "l"), open ? act("alarm-clock", t("desk.snooze"), snooze, "h") : null, act("play", t("desk.macro"), bulkMacro, "m"),
    picked.size > 1 && open ? act("git-merge", t("desk.merge"), merge) : null, act("circle-check", t("desk.resolve"), resolve, "e"));
}

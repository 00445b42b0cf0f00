// @ts-check
/** The admin pages: the side navigation, and the section that the address names. */

import "./words.js";
import { h } from "../dom.js";
import { useKeys } from "../keys.js";
import { bar, startPage } from "../parts/frame.js";
import { offlineBar } from "../parts/states.js";
import { button, newId } from "../parts/controls.js";
import { menu } from "../parts/dialog.js";
import { icon } from "../parts/icon.js";
import { undoNewest } from "../parts/toast.js";
import { address, announce, go, startRouting } from "../route.js";
import { may, mayWork } from "../session.js";
import { t } from "../words.js";
import { teamChoices } from "./lookups.js";
import { GROUPS, SECTIONS } from "./sections.js";
import { mayLeave } from "./leaving.js";
import { mustSetUp } from "./second_factor.js";

const allowed = () => SECTIONS.filter((section) => !section.may || may(section.may));

// Everybody has an account, so a customer may open that page; alone it is no reason to open the others.
const mayOpen = () => allowed().length > 1 || location.pathname === "/admin/me";

/** What sections were called before; saved links to them still lead there. @type {Record<string, string>} */
const CALLED_NOW = { people: "users", moving: "import_export" };

startPage({ title: t("frame.admin"), show: start, allowed: mayOpen, setUp: mustSetUp });

/** Names of teams are shown in many places; without them their keys are. */
const names = () => (may("lookups.read") ? teamChoices().catch(() => []) : Promise.resolve([]));

async function start(/** @type {HTMLElement} */ root) {
  await names();
  useKeys([{ keys: "z", name: t("common.undo"), run: undoNewest }]);
  const main = h("main", { id: "main", class: "admin-main" });
  const side = h("nav", { class: "side", "aria-label": t("admin.nav.label") });
  const opener = button(t("admin.nav.menu"), () => menu(opener, menuItems()), { icon: "panel-left", kind: "quiet narrow-only", id: newId("menu") });
  const links = [...(mayWork() ? [{ href: "/desk", words: t("frame.desk") }] : [{ href: "/portal", words: t("frame.portal") }]),
    ...(mayWork() ? [{ href: "/admin", words: t("frame.admin"), current: true }] : [])];
  root.replaceChildren(offlineBar(), bar({ links, extra: opener }),
    h("div", { class: "admin-page" }, side, main));
  let shown = "";
  startRouting("/admin", (place) => {
    if (!mayLeave()) return;
    const sections = allowed();
    const path = place.path[0] ?? "";
    if (CALLED_NOW[path]) return go(address([CALLED_NOW[path], ...place.path.slice(1)], Object.fromEntries(place.query)), { replace: true });
    const section = sections.find((item) => item.path === path) ?? (path ? null : sections[0]);
    if (!path && section?.path) return go(address([section.path]), { replace: true });
    side.replaceChildren(...navigation(sections, section?.path));
    const inner = h("div", { class: "section" });
    main.replaceChildren(inner);
    if (section) section.show(inner, place);
    else inner.append(h("h1", {}, t("admin.nav.nothing")));
    const key = `${place.path.join("/")}`;
    announce(section ? t(section.words) : t("frame.admin"), shown !== "" && shown !== key);
    shown = key || "first";
    return undefined;
  });
}

function navigation(/** @type {any[]} */ sections, /** @type {string|undefined} */ current) {
  return GROUPS.flatMap((group) => {
    const items = sections.filter((section) => section.group === group);
    return items.length ? [h("h2", { class: "small soft" }, t(`admin.nav.${group}`)), h("ul", {}, items.map((section) =>
      h("li", {}, h("a", { href: address(section.path ? [section.path] : []), "aria-current": section.path === current ? "page" : null },
        icon(section.sign), t(section.words)))))] : [];
  });
}

const menuItems = () => allowed().map((section) => ({
  words: [icon(section.sign), t(section.words)], href: address(section.path ? [section.path] : []),
}));

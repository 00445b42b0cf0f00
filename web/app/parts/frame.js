// @ts-check
/** What desk and admin have in common: starting, the bar with "who am I", theme and language. */

import { identify, signOut } from "../api.js";
import { fill, h } from "../dom.js";
import { session, takeFragment } from "../session.js";
import { preferences } from "../state.js";
import { LANGUAGES, language, t, word } from "../words.js";
import { avatar, button, newId } from "./controls.js";
import { menu } from "./dialog.js";
import { comeFromIssuer } from "./entry/issuer.js";
import { icon } from "./icon.js";
import { signInForm } from "./sign_in.js";
import { failed, skeleton } from "./states.js";

const THEMES = ["system", "light", "dark"];

/** Shows the chosen theme; without one the system decides. */
export function applyTheme() {
  const chosen = preferences.get("theme", "system");
  for (const name of ["light", "dark"]) document.documentElement.classList.toggle(name, chosen === name);
}

/**
 * Starts a page: takes `#key=…` from the address, asks who is here, then shows the page or the form to sign in.
 * @param {{title: string, show: (root: HTMLElement) => any, allowed?: () => boolean, setUp?: (done: () => Promise<any>) => any, outside?: (form: any) => any, level?: string}} options
 *   `show` fills the page once somebody is signed in who is `allowed`. `setUp` is the form of who must set up a second
 *   factor first; pages without it lead to the admin pages, which have one. `outside` is what stands around the form to sign in,
 *   whose heading has that `level`.
 */
export async function startPage({ title, show, allowed = () => true, setUp, outside = (form) => h("main", {}, form), level = "h1" }) {
  applyTheme();
  const mailed = takeFragment();
  const arrived = await comeFromIssuer(mailed);
  const root = /** @type {HTMLElement} */ (document.getElementById("page"));
  root.replaceChildren(h("main", { class: "opening" }, skeleton(3)));
  let shown = "";
  const open = async () => {
    const person = session.get().me?.email ?? "";
    // What modules hold of one person is not for the next: the page begins anew.
    if (shown && person && person !== shown) return location.reload();
    shown = person || shown;
    root.removeAttribute("aria-busy");
    if (session.get().lacksFactor) setUp ? fill(root, h("main", {}, setUp(start))) : location.assign("/admin/me");
    else if (allowed()) await show(root);
    else fill(root, refused());
    return undefined;
  };
  const ask = (/** @type {string} */ note, challenge = "") => {
    root.removeAttribute("aria-busy");
    fill(root, outside(signInForm({ title, note, mailed, challenge, level, done: open })));
  };
  session.subscribe(({ me, ended }, before) => { if (before.me && !me) ask(ended ? t("signin.ended") : ""); });
  const start = async () => {
    try {
      if (await identify() || session.get().lacksFactor) await open();
      else ask(arrived.note ?? (session.get().ended ? t("signin.refused") : ""), arrived.challenge);
    } catch (error) {
      fill(root, h("main", {}, failed(error, start)));
    }
  };
  await start();
}

function refused() {
  const { me } = session.get();
  return h("main", { class: "state" }, icon("lock"), h("h1", {}, t("frame.not_for_you", { role: word("role", me.role) })),
    h("p", {}, h("a", { href: "/portal" }, t("frame.to_portal"))), button(t("frame.sign_out"), signOut, { icon: "log-out" }));
}

/**
 * The page's bar. `links` lead to the other pages, `extra` stands before "who am I".
 * @param {{links?: {href: string, words: string, current?: boolean}[], extra?: any, items?: any[], who?: any}} [options] `who` is null where nobody is signed in.
 */
export function bar({ links = [], extra = null, items = [], who = whoAmI(items) } = {}) {
  return h("header", { class: "bar" },
    h("a", { class: "skip", href: "#main" }, t("frame.skip")),
    h("a", { class: "brand", href: "/" }, h("img", { src: "/assets/icon.svg", alt: "" }), "Foyer"),
    h("nav", { class: "line grow", "aria-label": t("frame.pages") },
      links.map((item) => h("a", { class: "button quiet", href: item.href, "aria-current": item.current ? "page" : null }, item.words))),
    extra, who);
}

/** The button with your name: account, theme, language, signing out. `items` come first in its menu. */
export function whoAmI(/** @type {any[]} */ items = []) {
  const { me } = session.get();
  const opener = button([avatar(me.full_name || me.name || me.email), h("span", { class: "cut who" }, me.full_name || me.name || me.email || word("role", me.role))], () => menu(opener, [
    ...items, ...accountItem(), ...themeItems(), ...languageItems(),
    { words: [icon("log-out"), t("frame.sign_out")], run: signOut },
  ]), { kind: "quiet", id: newId("me"), title: `${me.email || me.name} · ${word("role", me.role)} · ${me.company?.name ?? ""}` });
  return opener;
}

/** The way to one's own account, for who has one. */
export const accountItem = () => (session.get().me?.email ? [{ words: [icon("user"), t("frame.account")], href: "/admin/me" }] : []);

export const themeItems = () => THEMES.map((theme) => ({
  words: t(`frame.theme_${theme}`),
  checked: preferences.get("theme", "system") === theme,
  run: () => { preferences.set("theme", theme); applyTheme(); },
}));

export const languageItems = () => Object.entries(LANGUAGES).map(([code, words]) => ({
  words, checked: code === language, run: () => { preferences.set("language", code); location.reload(); },
}));

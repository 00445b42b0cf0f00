// @ts-check
/** Markdown as elements: headings, lists, quotes, code, tables, links. HTML in it stays text. */

import { h, safeUrl } from "./dom.js";

const INLINE = /(`+)([\s\S]+?)\1(?!`)|\*\*([^*]+(?:\*[^*]+)*)\*\*|__([^_]+)__|\*([^*\s][^*]*)\*|\[([^\]]+)\]\(<?((?:[^()\s>]|\([^()\s>]*\))+)>?(?:\s+"[^"]*")?\)|(https?:\/\/[^\s<>()]+[^\s<>().,;:!?'"])/;
const LINK = /^(?:https?:\/\/|mailto:)/i;

/** One element that holds the text. @returns {HTMLElement} */
export function markdown(/** @type {string} */ text, className = "prose") {
  return h("div", { class: className }, blocks(text.replace(/\r\n?/g, "\n").split("\n")));
}

/** The words of a line with emphasis, code and links. @returns {any[]} */
function inline(/** @type {string} */ text, depth = 0) {
  const found = depth > 4 ? null : INLINE.exec(text);
  if (!found) return text ? [text] : [];
  const [whole, , code, strong, underscored, emphasis, label, target, bare] = found;
  const deeper = (/** @type {string} */ words) => inline(words, depth + 1);
  const element = code !== undefined ? h("code", {}, code.trim())
    : strong || underscored ? h("strong", {}, deeper(strong || underscored))
      : emphasis ? h("em", {}, deeper(emphasis))
        : link(target ?? bare, label === undefined ? [bare] : deeper(label));
  return [text.slice(0, found.index), element, ...inline(text.slice(found.index + whole.length), depth)];
}

function link(/** @type {string} */ url, /** @type {any[]} */ words) {
  if (!LINK.test(url)) return h("span", {}, words);
  return h("a", { href: safeUrl(url), target: "_blank", rel: "noopener noreferrer nofollow" }, words);
}

/** @returns {any[]} */
function blocks(/** @type {string[]} */ lines) {
  const made = [];
  while (lines.length) {
    const line = lines[0];
    if (!line.trim()) lines.shift();
    else if (/^\s*(```|~~~)/.test(line)) made.push(fence(lines));
    else if (/^#{1,6}\s/.test(line)) made.push(heading(/** @type {string} */ (lines.shift())));
    else if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) { lines.shift(); made.push(h("hr")); }
    else if (/^\s*>/.test(line)) made.push(h("blockquote", {}, blocks(take(lines, (l) => /^\s*>/.test(l)).map((l) => l.replace(/^\s*> ?/, "")))));
    else if (isItem(line)) made.push(list(lines));
    else if (line.includes("|") && /^\s*\|?\s*:?-{2,}/.test(lines[1] ?? "")) made.push(table(lines));
    else made.push(paragraph(lines));
  }
  return made;
}

const isItem = (/** @type {string} */ line) => /^\s{0,3}(?:[-*+]|\d{1,9}[.)])\s/.test(line);

function take(/** @type {string[]} */ lines, /** @type {(line: string) => boolean} */ belongs) {
  let count = 0;
  while (count < lines.length && belongs(lines[count])) count += 1;
  return lines.splice(0, Math.max(count, 1));
}

function heading(/** @type {string} */ line) {
  const level = Math.min(6, /** @type {any} */ (/^#+/.exec(line))[0].length + 1);
  return h(`h${level}`, {}, inline(line.replace(/^#+\s+/, "").replace(/\s+#+$/, "")));
}

function fence(/** @type {string[]} */ lines) {
  const mark = /** @type {string} */ (lines.shift()).trim().slice(0, 3);
  const end = lines.findIndex((line) => line.trim().startsWith(mark));
  const code = lines.splice(0, end < 0 ? lines.length : end);
  if (end >= 0) lines.shift();
  return h("pre", { tabindex: "0" }, h("code", {}, code.join("\n")));
}

/** @returns {HTMLElement} */
function list(/** @type {string[]} */ lines) {
  const ordered = /^\s*\d/.test(lines[0]);
  const items = [];
  while (lines.length && isItem(lines[0])) {
    const first = /** @type {string} */ (lines.shift()).replace(/^\s{0,3}(?:[-*+]|\d{1,9}[.)])\s+/, "");
    const rest = lines.length && /^\s{2,}\S/.test(lines[0]) ? take(lines, (line) => /^\s{2,}\S/.test(line)) : [];
    items.push(h("li", {}, inline(first), rest.length ? blocks(rest.map((line) => line.replace(/^\s{2,4}/, ""))) : null));
  }
  return h(ordered ? "ol" : "ul", {}, items);
}

function table(/** @type {string[]} */ lines) {
  const cells = (/** @type {string} */ line) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => inline(cell.trim()));
  const [head, , ...rows] = take(lines, (line) => line.includes("|"));
  return h("div", { class: "scroll", tabindex: "0", role: "region" }, h("table", {},
    h("thead", {}, h("tr", {}, cells(head).map((cell) => h("th", { scope: "col" }, cell)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, cells(row).map((cell) => h("td", {}, cell)))))));
}

function paragraph(/** @type {string[]} */ lines) {
  const words = take(lines, (line) => line.trim() !== "" && !/^\s*(```|~~~|>|#{1,6}\s)/.test(line) && !isItem(line));
  return h("p", {}, words.flatMap((line, at) => [at ? h("br") : null, ...inline(line.trim())]));
}

// @ts-check
/** The first rows of a CSV file, to show what its columns hold. The server reads the file itself. */

const ENOUGH = 64 * 1024;

/** @returns {Promise<{columns: string[], rows: string[][]}>} */
export async function firstRows(/** @type {Blob} */ file, count = 5) {
  const bytes = await file.slice(0, ENOUGH).arrayBuffer();
  const all = parse(decode(bytes), count + 1);
  return { columns: all[0] ?? [], rows: all.slice(1) };
}

function decode(/** @type {ArrayBuffer} */ bytes) {
  const text = new TextDecoder("utf-8").decode(bytes, { stream: true });
  return text.includes("\ufffd") ? new TextDecoder("windows-1252").decode(bytes) : text;
}

/** Rows of cells (RFC 4180); the separator is whichever the first line has most of. */
export function parse(/** @type {string} */ text, /** @type {number} */ count) {
  const line = text.slice(0, text.search(/\r|\n|$/));
  const separator = [",", ";", "\t"].sort((one, other) => line.split(other).length - line.split(one).length)[0];
  const rows = [];
  let row = [], cell = "", quoted = false;
  for (let at = 0; at < text.length && rows.length < count; at += 1) {
    const sign = text[at];
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (text[at + 1] === '"') { cell += '"'; at += 1; } else quoted = false;
    } else if (sign === '"') quoted = true;
    else if (sign === separator) { row.push(cell); cell = ""; } else if (sign === "\n" || sign === "\r") {
      if (sign === "\r" && text[at + 1] === "\n") at += 1;
      if (row.length || cell) rows.push([...row, cell]);
      row = [];
      cell = "";
    } else cell += sign;
  }
  if ((row.length || cell) && rows.length < count) rows.push([...row, cell]);
  return rows;
}

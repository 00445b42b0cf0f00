// @ts-check
/** Brings the texts of the admin pages, before any module of theirs asks for one. */

import { addWords, language } from "../words.js";
import en from "../words/admin_en.js";

addWords(en, language === "de" ? (await import("../words/admin_de.js")).default : en);

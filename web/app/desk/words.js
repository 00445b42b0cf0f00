// @ts-check
/** Brings the texts of the desk, before any module of it asks for one. */

import { addWords, language } from "../words.js";
import en from "../words/desk_en.js";

addWords(en, language === "de" ? (await import("../words/desk_de.js")).default : en);

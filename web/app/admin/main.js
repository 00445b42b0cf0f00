// @ts-check
import { h } from "../dom.js";
import { bar, startPage } from "../parts/frame.js";
import { t } from "../words.js";

startPage({
  title: t("frame.admin"),
  show: (root) => root.replaceChildren(bar({}), h("main", { id: "main" }, h("h1", {}, t("frame.admin")))),
});

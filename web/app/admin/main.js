// @ts-check
import { h } from "../dom.js";
import { bar, startPage } from "../parts/frame.js";
import { announce, startRouting } from "../route.js";
import { t } from "../words.js";
import { showDashboard } from "./dashboard.js";

startPage({
  title: t("frame.admin"),
  show(root) {
    const main = h("main", { id: "main", class: "admin-main stack" });
    root.replaceChildren(bar({}), main);
    startRouting("/admin", () => { showDashboard(main); announce(t("dashboard.title"), false); });
  },
});

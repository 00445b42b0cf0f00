// @ts-check
import { t } from "../words.js";
import { startPasswordPage } from "./new_password.js";

startPasswordPage({ title: t("signin.reset"), about: t("signin.reset_about"), path: "/api/auth/reset/confirm", named: false });

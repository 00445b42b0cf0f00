// @ts-check
import { t } from "../words.js";
import { startPasswordPage } from "./new_password.js";

startPasswordPage({ title: t("signin.accept"), about: t("signin.accept_about"), path: "/api/auth/accept", named: true });

// @ts-check
/** The values that fields of tickets may have, in the order in which they are offered. */

export const OPEN_STATUSES = ["new", "ai_responded", "assigned", "in_progress", "waiting_customer", "handoff"];
export const FINISHED_STATUSES = ["resolved", "closed"];
export const STATUSES = [...OPEN_STATUSES, ...FINISHED_STATUSES];
export const PRIORITIES = ["urgent", "high", "medium", "low"];
export const CATEGORIES = ["billing", "technical", "sales", "account", "general"];
export const TIERS = ["free", "standard", "premium", "enterprise"];
export const SOURCES = ["web", "email", "chat", "api", "powerapps", "import", "other"];
export const SLA_STATUSES = ["on_track", "at_risk", "breached", "met"];

export const isOpen = (/** @type {any} */ ticket) => OPEN_STATUSES.includes(ticket.status);
export const isSolved = (/** @type {any} */ ticket) => FINISHED_STATUSES.includes(ticket.status);

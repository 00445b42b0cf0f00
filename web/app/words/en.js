// Every text of the console. `{name}` is replaced; {one, other} is chosen by the number n. words/de.js has the same names.
export default {
  common: {
    loading: "Loading", now: "just now", failed: "That did not work.", not_reached: "The server does not answer.",
    try_again: "Try again", request_id: "Request {id}", offline: "No connection. What you see may be old; nothing you wrote is lost.",
    undo: "Undo", cancel: "Cancel", save: "Save", saved: "Saved.", close: "Close", remove: "Remove", edit: "Edit", copy: "Copy", copied: "Copied.",
    type_to_confirm: "Write {word} to go on", assistant: "Assistant", note: "Note", quoted: "Quoted text", sources: "Sources",
    customer: "Customer", agent: "Agent", admin: "Agent", ai: "Assistant", system: "Foyer",
  },
  status: {
    new: "New", ai_responded: "AI answered", assigned: "Assigned", in_progress: "In progress", waiting_customer: "Waiting for customer",
    handoff: "Needs a person", resolved: "Resolved", closed: "Closed",
  },
  priority: { low: "Low", medium: "Medium", high: "High", urgent: "Urgent" },
  category: { billing: "Billing", technical: "Technical", sales: "Sales", account: "Account", general: "General" },
  role: { customer: "customer", agent: "agent", admin: "admin" },
  frame: {
    skip: "Skip to the content", pages: "Pages", sign_out: "Sign out", not_for_you: "This page is not for a {role}.", to_portal: "Go to the help page",
    theme_system: "Theme of the system", theme_light: "Light", theme_dark: "Dark", desk: "Desk", admin: "Admin", portal: "Portal", chat: "Chat", api: "API",
  },
  signin: {
    title: "Sign in", email: "E-mail", password: "Password", remember: "Stay signed in on this device", submit: "Sign in",
    ended: "Your session has ended. Sign in to go on; what you wrote is kept.", refused: "This key or session is not valid any more.",
  },
  portal: {},
  chat: {},
  desk: {},
  admin: {},
  charts: { keys: "The arrow keys read the points.", as_table: "As a table" },
  dashboard: {
    title: "Dashboard", range: "Period", range_7: "7 days", range_30: "30 days", range_90: "90 days", range_all: "All", range_own: "Own", from: "From", to: "To (without that day)",
    team: "Team", every_team: "Every team", download: "Download", as_csv: "As CSV", as_xlsx: "As Excel",
    open: "Open", not_taken: "Taken by nobody", overdue: "Overdue", first_answer: "First answer", csat: "Satisfaction", ratings: { one: "1 rating", other: "{n} ratings" },
    few: "few tickets", change: "{share} to the period before", opened_and_resolved: "Opened and resolved, 30 days", opened: "Opened", resolved: "Resolved", open_tickets: "Open tickets",
    backlog_by_age: "Open tickets by age in days", age_today: "0", age_1_to_2_days: "1–2", age_3_to_6_days: "3–6", age_7_to_29_days: "7–29", age_30_days_or_more: "30+",
    by_hour: "When tickets are opened", by_category: "By category", other: "Other", ai: "What became of the AI's answers", ai_confirmed: "Confirmed by the customer", ai_assumed: "Assumed solved",
    ai_handed_over: "Handed over to a person", ai_reopened: "Reopened", ai_rate: "The AI alone resolved {share} of what is resolved.",
    times: "Times", sla_met: "Agreed times kept", first_answer_p90: "First answer, 9 of 10", resolution: "Resolved after", resolution_p90: "Resolved after, 9 of 10",
    agents: "Agents", agent: "Agent", replies: "Replies",
  },
  home: {},
};

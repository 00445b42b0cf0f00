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
  home: {},
};

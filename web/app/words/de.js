// The texts of the console in German; the names are those of words/en.js.
export default {
  common: {
    loading: "Wird geladen", now: "gerade eben", failed: "Das hat nicht geklappt.", not_reached: "Der Server antwortet nicht.",
    try_again: "Noch einmal versuchen", request_id: "Anfrage {id}", offline: "Keine Verbindung. Was Sie sehen, kann veraltet sein; nichts Geschriebenes geht verloren.",
    undo: "Rückgängig", cancel: "Abbrechen", save: "Speichern", saved: "Gespeichert.", close: "Schließen", remove: "Entfernen", edit: "Bearbeiten", copy: "Kopieren", copied: "Kopiert.",
    type_to_confirm: "Zum Fortfahren {word} eingeben", assistant: "Assistent", note: "Notiz", quoted: "Zitierter Text", sources: "Quellen",
    customer: "Kunde", agent: "Mitarbeiter", admin: "Mitarbeiter", ai: "Assistent", system: "Foyer",
  },
  status: {
    new: "Neu", ai_responded: "Von der KI beantwortet", assigned: "Zugewiesen", in_progress: "In Arbeit", waiting_customer: "Wartet auf Kunden",
    handoff: "Braucht einen Menschen", resolved: "Gelöst", closed: "Geschlossen",
  },
  priority: { low: "Niedrig", medium: "Mittel", high: "Hoch", urgent: "Dringend" },
  category: { billing: "Rechnung", technical: "Technik", sales: "Verkauf", account: "Konto", general: "Allgemein" },
  role: { customer: "Kunde", agent: "Mitarbeiter", admin: "Administrator" },
  frame: {
    skip: "Zum Inhalt", pages: "Seiten", sign_out: "Abmelden", not_for_you: "Diese Seite ist nicht für die Rolle {role}.", to_portal: "Zur Hilfeseite",
    theme_system: "Wie das System", theme_light: "Hell", theme_dark: "Dunkel", desk: "Desk", admin: "Verwaltung", portal: "Portal", chat: "Chat", api: "API",
  },
  signin: {
    title: "Anmelden", email: "E-Mail", password: "Passwort", remember: "Auf diesem Gerät angemeldet bleiben", submit: "Anmelden",
    ended: "Ihre Sitzung ist beendet. Melden Sie sich an, um fortzufahren; Geschriebenes bleibt erhalten.", refused: "Dieser Schlüssel oder diese Sitzung gilt nicht mehr.",
  },
  portal: {},
  chat: {},
  desk: {},
  admin: {},
  home: {},
};

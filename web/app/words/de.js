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
  charts: { keys: "Die Pfeiltasten lesen die Punkte.", as_table: "Als Tabelle" },
  dashboard: {
    title: "Übersicht", range: "Zeitraum", range_7: "7 Tage", range_30: "30 Tage", range_90: "90 Tage", range_all: "Alle", range_own: "Eigener", from: "Von", to: "Bis (ohne diesen Tag)",
    team: "Team", every_team: "Alle Teams", download: "Herunterladen", as_csv: "Als CSV", as_xlsx: "Als Excel",
    open: "Offen", not_taken: "Von niemandem übernommen", overdue: "Überfällig", first_answer: "Erste Antwort", csat: "Zufriedenheit", ratings: { one: "1 Bewertung", other: "{n} Bewertungen" },
    few: "wenige Tickets", change: "{share} zum Zeitraum davor", opened_and_resolved: "Eröffnet und gelöst, 30 Tage", opened: "Eröffnet", resolved: "Gelöst", open_tickets: "Offene Tickets",
    backlog_by_age: "Offene Tickets nach Alter in Tagen", age_today: "0", age_1_to_2_days: "1–2", age_3_to_6_days: "3–6", age_7_to_29_days: "7–29", age_30_days_or_more: "30+",
    by_hour: "Wann Tickets eröffnet werden", by_category: "Nach Kategorie", other: "Andere", ai: "Was aus den Antworten der KI wurde", ai_confirmed: "Vom Kunden bestätigt", ai_assumed: "Vermutlich gelöst",
    ai_handed_over: "An einen Menschen übergeben", ai_reopened: "Wieder geöffnet", ai_rate: "Die KI allein löste {share} der gelösten Tickets.",
    times: "Zeiten", sla_met: "Zusagen eingehalten", first_answer_p90: "Erste Antwort, 9 von 10", resolution: "Gelöst nach", resolution_p90: "Gelöst nach, 9 von 10",
    agents: "Mitarbeiter", agent: "Mitarbeiter", replies: "Antworten",
  },
  home: {},
};

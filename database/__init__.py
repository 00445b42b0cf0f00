"""The database: tables, engines, search and transfer. Rules of tickets do not belong here."""

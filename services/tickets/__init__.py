"""Tickets: opening, changing, answering, finding. Only this folder writes the table of tickets."""

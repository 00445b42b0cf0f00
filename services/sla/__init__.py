"""SLA: the agreed times of tickets, their clocks, and the alerts about them."""

"""Assignment: which agent gets a ticket."""

"""What runs around the app in a server process. Nothing here knows a route or a ticket."""

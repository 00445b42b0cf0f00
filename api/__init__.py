"""HTTP only: the routes under /api, their gate, envelope, parsing and specs."""

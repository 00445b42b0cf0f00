"""Sign-in mechanisms: tokens, passwords, OpenID Connect. This folder reads and writes no rows."""

"""Events: what happened to tickets, derived from the history, as customers, agents and webhooks are told of it."""

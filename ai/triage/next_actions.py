"""The next action of an agent for a ticket, as one sentence."""

RISK_STEPS = {
    "self-harm": "Bring in a person trained for this now and answer with care before anything else.",
    "safety": "Make sure nobody is in danger first, then tell the safety contact.",
    "fraud": "Secure the account and stop open payments before replying.",
    "stolen": "Secure the account and stop open payments before replying.",
    "hacked": "Lock the account, end its sessions and confirm who is writing before replying.",
    "legal threat": "Pass this to a team lead before replying, and promise nothing.",
}
STEPS = {
    "billing": "check the invoices and payments of this customer, then reply with amounts and dates.",
    "technical": "ask for the exact error and when it began, and look for a known fault.",
    "sales": "find out what the customer needs and send a matching offer.",
    "account": "confirm who is writing, then check the account's details and access.",
    "general": "read the message and answer it or pass it to the team it concerns.",
}
LEADS = {"low": "When there is time, ", "medium": "Today, ", "high": "Soon, ", "urgent": "First of all, "}


def next_action(category: str, priority: str, *, risk: str) -> str:
    """The sentence for a category and priority; a `risk` has its own."""
    return RISK_STEPS[risk] if risk else LEADS[priority] + STEPS[category]

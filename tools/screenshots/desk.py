"""A desk to look at in a browser: its people, their keys and the demo data, all made over the API."""

from dataclasses import dataclass, field
from typing import Any

import requests

PATIENCE_SECONDS = 60
PASSWORD = "a password of the demo"  # noqa: S105 - of a desk that is removed at the end
AGENTS = ("Tom Becker", "Priya Nair", "Elena Rossi", "Sam Okafor")  # who work in data/demo_tickets.json
CUSTOMER = ("Aisha Rahman", "aisha@saffronkitchen.example")  # who has tickets there


@dataclass(frozen=True)
class Person:
    """Somebody who signs in, and a key of the same role."""

    role: str
    name: str
    email: str
    key: str
    password: str = PASSWORD


@dataclass
class Desk:
    """One company of a running server, called with a credential of its admin: an API key or an access token.

    Its people have addresses of `domain`. In the company `default` the customer is one of the demo data.
    """

    url: str
    key: str = ""
    token: str = ""
    company: str = "default"
    domain: str = "foyer.example"
    people: dict[str, Person] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Any = None, *, key: str = "") -> Any:
        """The data of the answer. Raises requests.HTTPError for an answer of 400 and above."""
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {"X-API-Key": self.key}
        headers = {"X-API-Key": key} if key else own
        response = requests.request(method, self.url + path, json=body, headers=headers, timeout=PATIENCE_SECONDS)
        response.raise_for_status()
        return response.json()["data"]

    def person(self, role: str) -> Person:
        """The company's person of a role: admin, agent or customer. Made when first asked for."""
        if role not in self.people:
            name = {"admin": "Ines Moreau", "agent": AGENTS[0], "customer": CUSTOMER[0]}[role]
            self.people[role] = self._make(role, name)
        return self.people[role]

    def fill(self) -> None:
        """The demo data, worked on by four agents. The company must have no tickets."""
        self.person("agent")
        self.person("customer")
        for name in AGENTS[1:]:
            body = {"name": name, "email": self._email(name), "role": "agent", "password": PASSWORD}
            self.call("POST", "/api/users", body)
        self.call("POST", "/api/demo", {})

    def ticket_of(self, role: str) -> str:
        """The id of the most urgent open ticket that the person of a role sees."""
        query = f"&customer_email={CUSTOMER[1]}" if role == "customer" else ""
        tickets = self.call("GET", f"/api/tickets?status=open&sort=urgency&limit=1{query}")
        return str(tickets[0]["id"])

    def log_in(self, person: Person) -> Any:
        """What signing in answers: the access token and the refresh token."""
        body = {"email": person.email, "password": person.password, "company": self.company}
        return self.call("POST", "/api/auth/login", body)

    def _make(self, role: str, name: str) -> Person:
        email = CUSTOMER[1] if (name, self.company) == (CUSTOMER[0], "default") else self._email(name)
        body = {"name": name, "email": email, "role": role, "password": PASSWORD}
        self.call("POST", "/api/users", body)
        key = self.call("POST", "/api/keys", {"name": name, "role": role})["key"]
        return Person(role, name, email, key)

    def _email(self, name: str) -> str:
        return f"{name.partition(' ')[0].lower()}@{self.domain}"

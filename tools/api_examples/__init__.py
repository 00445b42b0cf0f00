"""Development only: the scenario behind the Postman collection and docs/api.md."""

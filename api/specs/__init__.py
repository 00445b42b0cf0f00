"""The descriptions of the API: OpenAPI 3 and the connector's Swagger file."""

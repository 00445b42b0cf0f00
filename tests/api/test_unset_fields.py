"""Fields that a request does not set are not visited. What is loaded and what is refused is as if they were."""

from functools import partial

import pytest
from flask import g
from marshmallow import ValidationError

from api.http.field_names import load_fields
from core.errors import AppError
from core.models import Actor

ROLES = ("admin", "customer")
VALUES = ("x", 1, True, [], {}, "new", "low", "Ada <ada@example.com>", "2026-01-31", "1,2")


@pytest.fixture
def schemas(app):
    """The input schemas of all routes, each once."""
    routes = [getattr(view, "route", None) for view in app.view_functions.values()]
    classes = {schema for route in routes if route for schema in (route.body, route.query) if schema}
    return [schema() for schema in sorted(classes, key=lambda schema: (schema.__module__, schema.__name__))]


def result(load, fields):
    """What a schema loads, or what it says. Files are compared by their bytes, and salted hashes not at all."""
    try:
        loaded = load(fields)
    except ValidationError as error:
        return list(error.messages.items())
    except AppError as error:
        return error.status, error.message, error.errors
    if "password_hash" in loaded:
        loaded["password_hash"] = ""
    return {name: value.read() if hasattr(value, "read") else value for name, value in loaded.items()}


@pytest.mark.parametrize("role", ROLES)
def test_every_input_is_loaded_as_marshmallow_loads_it(app, schemas, role):
    assert len(schemas) > 50
    with app.test_request_context("/"):
        g.actor = Actor("default", role, "x")
        for schema in schemas:
            names = {field.data_key or name for name, field in schema.load_fields.items()}
            samples = [{}, {name: "x" for name in names}] + [{name: value} for name in names for value in VALUES]
            for fields in samples:
                assert result(partial(load_fields, schema), fields) == result(schema.load, fields), (schema, fields)

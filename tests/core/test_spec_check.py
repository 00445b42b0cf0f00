"""The check that holds answers to the specs notices what it is there to notice."""

import pytest
from flask import Flask

from tests.support.spec_check import check_response


@pytest.mark.parametrize(
    "body",
    [
        {"success": True, "message": "Yes.", "data": {"deleted": True, "more": 1}},
        {"success": True, "message": "Yes.", "data": {}},
        {"success": True, "message": "Yes.", "data": {"deleted": "yes"}},
        {"success": True, "message": "Yes.", "data": {"deleted": True}, "total": 1},
    ],
)
def test_a_drift_from_the_description_is_noticed(body):
    app = Flask("other")
    with app.test_request_context():
        response = app.json.response(body)
    with pytest.raises(AssertionError, match="DELETE"):
        check_response(app, response, "DELETE", "/api/tickets/<ticket_id>")


def test_a_status_that_is_not_described_is_noticed():
    app = Flask("other")
    with app.test_request_context():
        response = app.json.response({})
    response.status_code = 202
    with pytest.raises(AssertionError, match="not documented"):
        check_response(app, response, "DELETE", "/api/tickets/<ticket_id>")

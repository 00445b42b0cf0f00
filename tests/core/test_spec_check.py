"""The check of responses against the specs detects differences."""

import pytest

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
def test_a_response_that_differs_from_the_schema_is_detected(app, body):
    with app.test_request_context():
        response = app.json.response(body)
    with pytest.raises(AssertionError, match="DELETE"):
        check_response(app, response, "DELETE", "/api/tickets/<ticket_id>")


def test_an_undescribed_status_is_detected(app):
    with app.test_request_context():
        response = app.json.response({})
    response.status_code = 202
    with pytest.raises(AssertionError, match="not documented"):
        check_response(app, response, "DELETE", "/api/tickets/<ticket_id>")

"""The function's call of itself, over HTTP: asynchronous, and its failure never fails or delays a request for long."""

import json

import pytest

from deploy.aws.self_call import SelfCall
from tests.fakes import aws as fake_aws
from tests.fakes.webhook_receiver import Receiver


@pytest.fixture
def engine():
    """No store takes part."""
    return "json"


@pytest.fixture
def lambda_service(monkeypatch):
    with Receiver(lambda call, handler: 202) as receiver:
        fake_aws.lead_there(monkeypatch, receiver.url.removesuffix("/hook"), region="eu-west-1")
        yield receiver


def test_it_invokes_its_function_without_waiting_for_it(lambda_service):
    SelfCall("foyer")({"work": "jobs"})
    (call,) = lambda_service.calls
    assert call.path == "/2015-03-31/functions/foyer/invocations"
    assert call.headers["x-amz-invocation-type"] == "Event"
    assert json.loads(call.body) == {"work": "jobs"}


def test_a_failure_is_logged_and_not_repeated_at_once(lambda_service, caplog):
    lambda_service.behaviour = lambda call, handler: 403
    self_call = SelfCall("foyer")
    self_call({"work": "jobs"})
    self_call({"work": "jobs"})
    assert len(lambda_service.calls) == 1
    assert "Jobs wait for the schedule" in caplog.text


def test_a_service_that_cannot_be_reached_raises_nothing(monkeypatch, free_port, caplog):
    fake_aws.lead_there(monkeypatch, f"http://127.0.0.1:{free_port}", region="eu-west-1")
    SelfCall("foyer")({"work": "jobs"})
    assert "EndpointConnectionError" in caplog.text

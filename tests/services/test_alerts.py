"""Alerts to an Amazon SNS topic when a chat needs a person: published once, tried again, and never with a customer's words."""

import json
import uuid

import boto3
import pytest

from channels.sns import PublishFailed, Topic
from config import ConfigError, load_settings
from database.tables import jobs
from tests.fakes import aws as fake_aws
from tests.support.caller import Caller

ADA = {"customer_email": "ada@example.com"}
ARN = "arn:aws:sns:eu-west-1:123456789012:support"


@pytest.fixture(scope="module")
def aws():
    with fake_aws.running() as address:
        yield address


@pytest.fixture
def queue(aws, monkeypatch):
    """A queue that gets what the topic `support` publishes."""
    fake_aws.lead_there(monkeypatch, aws, region="eu-west-1")
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    assert sns.create_topic(Name="support")["TopicArn"] == ARN
    url = sqs.create_queue(QueueName=f"alerts-{uuid.uuid4()}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=ARN, Protocol="sqs", Endpoint=arn)

    def read():
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    return read


@pytest.fixture
def app(open_app):
    return open_app(sns_topic_arn=ARN)


def test_a_chat_that_needs_a_person_is_published_without_the_customers_words(admin, run_jobs, queue):
    answer = admin.data(admin.post("/api/chat", {**ADA, "message": "I am Ada and want to talk to a person"}))
    run_jobs()
    (message,) = queue()
    assert message["Subject"] == f"A person is needed: conversation #{answer['number']}"
    alert = json.loads(message["Message"])
    assert (alert["event"], alert["ticket_id"], alert["number"]) == (
        "ticket.handoff",
        answer["ticket_id"],
        answer["number"],
    )
    assert "the customer asked for a person" in alert["next_action"]
    assert "Ada" not in json.dumps(message)
    run_jobs()
    assert queue() == []


def test_another_company_publishes_nothing(other_admin, run_jobs, queue):
    assert other_admin.data(other_admin.post("/api/chat", {**ADA, "message": "human"}))["escalation"]
    run_jobs()
    assert queue() == []


def test_a_topic_that_is_down_is_tried_again_and_the_chat_goes_on(admin, runtime, run_jobs, monkeypatch, free_port):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    assert admin.data(admin.post("/api/chat", {**ADA, "message": "human"}))["escalation"]
    run_jobs()
    with runtime.storage.unit_of_work(None) as uow:
        (job,) = uow.find(uow.query(jobs).where(jobs.c.lane == "alerts"))
    assert (job["state"], job["attempts"]) == ("waiting", 1)
    assert "EndpointConnectionError" in job["last_error"]


def test_a_topic_that_does_not_exist_says_so(queue):
    with pytest.raises(PublishFailed, match="NotFound"):
        Topic(ARN.replace("support", "nowhere")).publish("Hello", {})


@pytest.mark.parametrize("arn", ["support", "arn:aws:sqs:eu-west-1:123456789012:support", "arn:aws:sns:eu-west-1:1:x"])
def test_a_topic_that_cannot_be_one_stops_the_start(monkeypatch, arn):
    monkeypatch.setenv("SNS_TOPIC_ARN", arn)
    with pytest.raises(ConfigError, match="SNS_TOPIC_ARN"):
        load_settings()


def test_without_a_topic_a_handoff_leaves_no_job(open_app, mailer):
    app = open_app()
    admin = Caller(app.test_client(), "admin-key")
    assert admin.data(admin.post("/api/chat", {**ADA, "message": "human"}))["escalation"]
    assert {job["kind"] for job in admin.data(admin.get("/api/jobs"))} == {"handoff_alert"}

"""The function on a PostgreSQL, a bucket and a topic."""

import json
import uuid

import boto3
import pytest

from deploy.aws.handler import Function
from tests.fakes import aws as fake_aws
from tests.support.lambda_events import FORMATS, Context, event, json_of

BUCKET, TOPIC = "foyer-files", "arn:aws:sns:eu-west-1:123456789012:alerts"
ON_LAMBDA = {"aws_lambda_function_name": "foyer", "attachments_url": f"s3://{BUCKET}", "sns_topic_arn": TOPIC}
ADMIN = {"x_api_key": "admin-key"}


@pytest.fixture
def engine():
    """The one store that a function may have."""
    return "postgresql"


@pytest.fixture(params=FORMATS)
def form(request):
    return request.param


@pytest.fixture(scope="session")
def aws():
    with fake_aws.running() as address:
        yield address


@pytest.fixture
def cloud(aws, monkeypatch):
    fake_aws.lead_there(monkeypatch, aws, region="eu-west-1")
    s3 = boto3.client("s3")
    if BUCKET not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert boto3.client("sns").create_topic(Name="alerts")["TopicArn"] == TOPIC


@pytest.fixture
def alerts(cloud):
    """Reads what the topic published."""
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    url = sqs.create_queue(QueueName=f"alerts-{uuid.uuid4()}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=arn)

    def read():
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(json.loads(message["Body"])["Message"]) for message in messages]

    return read


@pytest.fixture
def app(open_app, cloud):
    app = open_app(**ON_LAMBDA)
    app.extensions["runtime"].open()
    return app


@pytest.fixture
def calls():
    """The events with which the function called itself."""
    return []


@pytest.fixture
def function(app, calls):
    return Function(app, calls.append)


@pytest.fixture
def call(function, form):
    """Sends a request as the admin and gives the event's answer."""

    def send(method, url, body=None, **more):
        return function(event(form, method, url, body, **{**ADMIN, **more}), Context())

    return send


@pytest.fixture
def ticket(call):
    """Opens a ticket."""

    def make(**fields):
        body = {"title": "Plan", "description": "How do I change it?", "customer_email": "ada@example.com", **fields}
        return json_of(call("POST", "/api/tickets", body), 201)["data"]

    return make

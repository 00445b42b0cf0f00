"""What the function does with an event: it answers a request of API Gateway, or runs the jobs that are due."""

import logging
from typing import Any, Protocol

import orjson
from apig_wsgi import make_lambda_handler
from flask import Flask

from core.errors import AppError
from deploy.aws.gateway import Gateway
from deploy.aws.self_call import SelfCall
from runtime.bootstrap import Runtime
from runtime.server.write_turns import READS

log = logging.getLogger("foyer.aws")

SCHEDULE, ON_DEMAND = "schedule", "jobs"  # the values of `work` in events that ask for jobs
STOP_SECONDS = 60  # no job begins in the last seconds before Lambda ends the function
MOST_BYTES = 6 * 1024 * 1024 - 64 * 1024  # of a body in base64; Lambda takes 6 MB with headers

Event = dict[str, Any]


class Context(Protocol):
    """The parts of Lambda's context that are used."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int: ...


class Function:
    """The handler of one instance of the function. The runtime must be open."""

    def __init__(self, app: Flask, self_call: SelfCall) -> None:
        self._runtime: Runtime = app.extensions["runtime"]
        self._self_call = self_call
        self._woken = False
        # Every body goes as base64, since an attached file may say it is text and be none.
        self._serve = make_lambda_handler(
            Gateway(app.wsgi_app), binary_support=True, non_binary_content_type_prefixes=()
        )
        self._runtime.runner.on_wake = self._wake

    def __call__(self, event: Event, context: Context) -> Event:
        """Answers an event. Raises ValueError for one of another service, RuntimeError if the jobs could not be run."""
        request = event.get("requestContext") or {}
        if "http" in request or "identity" in request:
            return self._answer(event, context)
        if event.get("work") in (SCHEDULE, ON_DEMAND):
            return self._run_jobs(event["work"], context)
        raise ValueError('This function takes events of API Gateway, and {"work": "schedule"} or {"work": "jobs"}.')

    def _answer(self, event: Event, context: Context) -> Event:
        self._woken = False
        try:
            answer = self._serve(event, context)
        except Exception:
            log.exception("A request could not be answered")
            return _refusal(500, "internal_error", "Something went wrong. Please try again.", context)
        self._after_answer(event)
        if len(answer["body"]) > MOST_BYTES:
            message = "The answer is larger than AWS Lambda can send, about 4.4 MB. Ask for less at a time."
            return _refusal(413, "answer_too_large", message, context)
        return answer

    def _after_answer(self, event: Event) -> None:
        """Does what a server with threads does after an answer."""
        self._runtime.run_once.sync_memory()
        method = event.get("httpMethod") or event["requestContext"]["http"]["method"]
        try:
            if not self._woken and method not in READS and self._runtime.run_once.has_due():
                self._wake()
        except AppError as error:
            log.warning("The jobs of a request wait for the schedule: %s", error)

    def _wake(self) -> None:
        self._woken = True
        self._self_call({"work": ON_DEMAND})

    def _run_jobs(self, work: str, context: Context) -> Event:
        seconds = context.get_remaining_time_in_millis() / 1000 - STOP_SECONDS
        try:
            return {"jobs": self._runtime.run_once(seconds=max(1.0, seconds), periodic=work == SCHEDULE)}
        except Exception:
            log.exception("The jobs could not be run")
        raise RuntimeError("The jobs could not be run; the log says why.")  # without the texts of the first error


def _refusal(status: int, code: str, message: str, context: Context) -> Event:
    data = {"code": code, "errors": [], "request_id": context.aws_request_id}
    body = orjson.dumps({"success": False, "message": message, "data": data}).decode()
    headers = {"content-type": "application/json", "x-request-id": context.aws_request_id}
    return {"statusCode": status, "headers": headers, "body": body, "isBase64Encoded": False}

"""The only door to a language model: one structured call with a true deadline, a breaker and a concurrency limit.

No prompts, no ticket words and no environment live here: what is asked, and what becomes of the answer, is the
caller's.
"""

import contextlib
import json
import logging
import queue
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qsl, urlsplit

from ai.circuit_breaker import Breakers, Health
from ai.model_answer import content_text, json_object
from ai.model_failure import RETRY_PAUSE_SECONDS, Failure, health_of, inspect
from core.redaction import mask

if TYPE_CHECKING:
    from openai import OpenAI

DEFAULT_BASE_URL = "https://api.openai.com/v1"
MAX_ANSWER_BYTES = 256 * 1024
MAX_VECTOR_BYTES = 8 * 1024 * 1024  # of the vectors of one call
MOST_TOKENS = 10_000_000  # of one call; a provider that names more is not believed
TRIES = 2
BUSY_WAIT_SECONDS = 0.25
NOT_OF_THE_ENDPOINT = ("busy", "breaker_open", "refused")  # failures that say nothing about how it is set up
# How an answer's form is asked for, the strictest first: endpoints know one or the other, or none.
FORMS = ("json_schema", "json_object", "")
UNKNOWN_FORM_STATUSES = (400, 422, 501)
NAMES_FORM = re.compile(r"response_?format|json_?(?:schema|object|mode)|structured output|guided", re.IGNORECASE)
LIKE_A_KEY = re.compile(r"\b(?:sk|pk|rk|key)-[^\s\"',;)]+")  # of any length: a provider repeats what it was sent


log = logging.getLogger("foyer.llm")


class ModelUnavailable(Exception):
    """No usable answer. `reason` is one of timeout, refused, bad_answer, breaker_open, busy, error, too_large, rate_limited,
    wrong_key, unknown_model or rejected; `seconds` is how long the caller waited for it."""

    def __init__(self, reason: str, *, seconds: float = 0.0) -> None:
        super().__init__(f"the model is unavailable: {reason}")
        self.reason = reason
        self.seconds = seconds


class _Line:
    """One client with its connection, used by one call at a time, so that hanging up cuts off nobody else."""

    def __init__(self, connect: "Callable[[_Line], OpenAI]") -> None:
        self._connect = connect
        self._client: OpenAI | None = None
        self._lock = threading.Lock()
        self._stream: Any = None
        self._call: object | None = None

    def trace(self, _event: str, info: dict[str, Any]) -> None:
        """Remember the newest network stream: what httpcore reports when a connection or its TLS stands."""
        stream = info.get("return_value")
        if hasattr(stream, "get_extra_info"):
            self._stream = stream

    def ask(
        self, call: object, request: dict[str, Any], ends: float, count: "Callable[[int, int], None]"
    ) -> dict[str, Any]:
        """The parsed answer, after at most TRIES tries that end at the monotonic time `ends`; raises Failure.

        `count` is called for each try, with the tokens that were read and written as the provider says, 0 when it does not.
        """
        with self._lock:
            self._call = call
        try:
            return self._ask(request, ends, count)
        finally:
            with self._lock:
                self._call = None

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = self._stream = None

    def hang_up(self, call: object) -> None:
        """Wake the thread that still reads for `call`; a server that drips headers would hold it for hours."""
        with self._lock:
            sock = self._stream.get_extra_info("socket") if self._call is call and self._stream else None
            if sock is not None:
                with contextlib.suppress(OSError):  # closed already, which is what was wanted
                    sock.shutdown(socket.SHUT_RDWR)

    def _ask(self, request: dict[str, Any], ends: float, count: "Callable[[int, int], None]") -> dict[str, Any]:
        for tries_left in reversed(range(TRIES)):
            body = b""
            try:
                body = self._fetch(request, ends)
                return _vectors(body) if "input" in request else _parsed(body)
            except Failure as failure:
                pause = failure.retry_after
                if not tries_left or pause is None or pause >= ends - time.monotonic():
                    raise
                time.sleep(pause)
            finally:
                count(*_tokens(body))
        raise AssertionError("unreachable")

    def _fetch(self, request: dict[str, Any], ends: float) -> bytes:
        import httpx2
        from openai import APIConnectionError, APITimeoutError

        if self._client is None:
            self._client = self._connect(self)
        resource: Any = self._client.embeddings if "input" in request else self._client.chat.completions
        most = MAX_VECTOR_BYTES if "input" in request else MAX_ANSWER_BYTES
        left = ends - time.monotonic()
        if left <= 0:
            raise Failure("timeout")
        try:
            # Half the time for the connection, so that a host nobody can reach is told from a slow answer.
            timeout = httpx2.Timeout(left, connect=left / 2)
            with resource.with_streaming_response.create(**request, timeout=timeout) as response:
                return _read(response.iter_bytes(), ends, most)
        except (APITimeoutError, httpx2.TimeoutException) as error:
            raise Failure("timeout", health=health_of(error)) from None
        except (APIConnectionError, httpx2.RequestError) as error:
            detail = type(error.__cause__ or error).__name__
            raise Failure("error", detail, retry_after=RETRY_PAUSE_SECONDS, health=health_of(error)) from None


class Model:
    """A model behind any OpenAI-compatible endpoint, shared by all threads."""

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str | None,
        name: str,
        timeout_seconds: float = 8.0,
        concurrency: int = 4,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask the model `name` at `base_url` (None is OpenAI), at most `concurrency` calls at once.

        `count` may be set to what is told of each call: the company, the tokens read and the tokens written.
        `clock` (seconds) drives the breaker only: deadlines are kept in real time.
        """
        # Half a second of import belongs to the start-up, and only where a model is set up; never to a first ticket.
        import httpx2
        import openai  # noqa: F401

        self.name = name
        self.timeout_seconds = timeout_seconds
        self.count: Callable[[str, int, int], None] = lambda company, tokens_in, tokens_out: None
        self._api_key = api_key.strip()
        self._base_url = base_url or DEFAULT_BASE_URL
        self._tls = httpx2.create_ssl_context()
        self.fault = ""  # the reason of the last failure, "" after a call that worked
        self._form, self._form_works = FORMS[0], False
        self._breakers = Breakers(clock)
        self._lines: queue.LifoQueue[_Line] = queue.LifoQueue()
        for _ in range(concurrency):
            self._lines.put(_Line(self._connect))

    def complete(
        self,
        messages: list[dict[str, str]],
        schema: dict[str, Any],
        *,
        schema_name: str,
        deadline_seconds: float | None = None,
        company: str = "",
    ) -> dict[str, Any]:
        """The model's answer to `messages` as a JSON object; that it follows `schema` is for the caller to check.

        Returns or raises ModelUnavailable within `deadline_seconds` (default: the model's timeout), whatever happens.
        Outages that a text may have provoked are counted for its `company` alone.
        """
        budget = self.timeout_seconds if deadline_seconds is None else deadline_seconds
        return self._guarded(
            lambda ends: self._ask_in_a_known_form(messages, schema, schema_name, ends=ends, company=company),
            budget,
            company,
        )

    def embed(self, texts: Sequence[str], *, deadline_seconds: float) -> list[list[float]]:
        """One vector for each text, by the embedding model that `name` names. Raises ModelUnavailable."""
        request = {"model": self.name, "input": list(texts), "encoding_format": "float"}
        vectors: list[list[float]] = self._guarded(lambda ends: self._ask(request, ends, ""), deadline_seconds, "")[
            "vectors"
        ]
        if len(vectors) != len(texts):
            raise ModelUnavailable("bad_answer")
        return vectors

    def _guarded(self, ask: Callable[[float], dict[str, Any]], budget: float, company: str) -> dict[str, Any]:
        """What `ask` answers before the time that it is given, behind the breaker. Raises ModelUnavailable."""
        started = time.monotonic()
        attempt = self._breakers.enter(company)
        if attempt is None:
            self._give_up(Failure("breaker_open"), started)
        health: Health | None = None
        try:
            answer = ask(started + budget)
            health, self.fault = "answered", ""
        except Failure as failure:
            # Too little time says nothing about the provider.
            hurried = failure.reason == "timeout" and budget < self.timeout_seconds / 2
            health = None if hurried else failure.health
            if not hurried and failure.reason not in NOT_OF_THE_ENDPOINT:
                self.fault = failure.reason
            self._give_up(failure, started)
        finally:
            self._breakers.leave(attempt, health)
        return answer

    def close(self) -> None:
        """Close the connections that are idle; a model that is asked again opens new ones."""
        for line in [self._lines.get_nowait() for _ in range(self._lines.qsize())]:
            line.close()
            self._lines.put(line)

    def _ask_in_a_known_form(
        self, messages: list[dict[str, str]], schema: dict[str, Any], schema_name: str, *, ends: float, company: str
    ) -> dict[str, Any]:
        """Asks in the strictest form that the endpoint knows. The form that works is remembered."""
        refused: Failure | None = None
        works = self._form_works
        for form in FORMS[FORMS.index(self._form) :]:
            try:
                answer = self._ask(self._request(messages, schema, schema_name, form), ends, company)
            except Failure as failure:
                refused = refused or failure
                # A form that has worked is refused for the text, unless the endpoint names the form.
                if failure.status in UNKNOWN_FORM_STATUSES and (not works or NAMES_FORM.search(failure.detail)):
                    continue
                break
            self._form, self._form_works = form, True
            if refused is not None:
                log.warning("the endpoint refuses a stricter response_format: it is asked with %s", form or "none")
            return answer
        raise refused or AssertionError("unreachable")

    def _ask(self, request: dict[str, Any], ends: float, company: str) -> dict[str, Any]:
        """Run the call in a thread of its own: name resolution and dripped headers know no timeout, a caller does."""
        call: Future[dict[str, Any]] = Future()
        try:
            line = self._lines.get(timeout=max(0.0, min(BUSY_WAIT_SECONDS, ends - time.monotonic())))
        except queue.Empty:
            raise Failure("busy") from None
        try:
            threading.Thread(
                target=self._run, args=(call, line, request, ends, company), name="model-call", daemon=True
            ).start()
        except RuntimeError:
            self._lines.put(line)
            raise Failure("busy", "no more threads") from None
        try:
            return call.result(timeout=max(0.0, ends - time.monotonic()))
        except TimeoutError:
            line.hang_up(call)
            raise Failure("timeout") from None

    def _run(
        self, call: Future[dict[str, Any]], line: _Line, request: dict[str, Any], ends: float, company: str
    ) -> None:
        answer: dict[str, Any] = {}
        failure: Failure | None = None
        try:
            answer = line.ask(call, request, ends, partial(self.count, company))
        except Failure as error:
            failure = error
        except Exception as error:  # its text may hold a header with the key: only its name goes on
            failure = Failure("error", type(error).__name__)
        # The line is free before the caller is told: whoever asks one question after another never meets "busy".
        self._lines.put(line)
        if failure is None:
            call.set_result(answer)
        else:
            call.set_exception(failure)

    def _request(
        self, messages: list[dict[str, str]], schema: dict[str, Any], schema_name: str, form: str
    ) -> dict[str, Any]:
        if form == "json_schema":
            json_schema = {"name": schema_name, "strict": True, "schema": schema}
            return {
                "model": self.name,
                "messages": messages,
                "response_format": {"type": form, "json_schema": json_schema},
            }
        instruction = (
            f"Answer with one JSON object and nothing else. It must follow this JSON schema: {json.dumps(schema)}"
        )
        request = {"model": self.name, "messages": [{"role": "system", "content": instruction}, *messages]}
        return request | ({"response_format": {"type": form}} if form else {})

    def _connect(self, line: _Line) -> "OpenAI":
        import httpx2
        from openai import OpenAI

        if not (self._api_key.isascii() and self._api_key.isprintable()):
            # The libraries underneath would log a header that they cannot send, with the key in it.
            raise Failure("error", "the key holds characters that cannot be sent")
        hooks: dict[str, list[Callable[..., Any]]] = {
            "request": [lambda request: request.extensions.update(trace=line.trace)],
            "response": [inspect],
        }
        base_url, _, query = self._base_url.partition("?")
        # Deployments of Azure take the key in a header of their own.
        is_azure = (urlsplit(base_url).hostname or "").endswith((".openai.azure.com", ".cognitiveservices.azure.com"))
        client = OpenAI(
            # Never empty: the library would look for a key in the environment and send it to a foreign base_url.
            api_key=self._api_key or "none",
            base_url=base_url,
            default_query=dict(parse_qsl(query)),
            max_retries=0,
            default_headers={"Accept-Encoding": "identity"} | ({"api-key": self._api_key} if is_azure else {}),
            http_client=httpx2.Client(verify=self._tls, follow_redirects=False, event_hooks=hooks),
        )
        client.organization = client.project = None  # these two, too, it takes from the environment
        return client

    def _give_up(self, failure: Failure, started: float) -> NoReturn:
        seconds = time.monotonic() - started
        detail = failure.detail.replace(self._api_key, "[key]") if self._api_key else failure.detail
        detail = mask(LIKE_A_KEY.sub("[key]", detail))
        log.warning("model call failed: reason=%s detail=%s elapsed=%.2fs", failure.reason, detail, seconds)
        raise ModelUnavailable(failure.reason, seconds=seconds) from None


def open_model(
    api_key: str, base_url: str | None, name: str, timeout_seconds: float, *, concurrency: int = 4
) -> Model | None:
    """The model of these settings; None without a key and without a base URL (Ollama has a base URL and no key)."""
    if not api_key and not base_url:
        return None
    return Model(
        api_key=api_key, base_url=base_url, name=name, timeout_seconds=timeout_seconds, concurrency=concurrency
    )


def _read(chunks: Iterable[bytes], ends: float, most: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > most:
            raise Failure("too_large")
        if time.monotonic() >= ends:
            raise Failure("timeout")
    return bytes(body)


def _tokens(body: bytes) -> tuple[int, int]:
    """The tokens of a request and of its answer by the field `usage`; 0 each where it is missing or cannot be true."""
    try:
        usage = json.loads(body)["usage"]
        tokens_in, tokens_out = (int(usage.get(name) or 0) for name in ("prompt_tokens", "completion_tokens"))
        return (
            (tokens_in, tokens_out)
            if min(tokens_in, tokens_out) >= 0 and tokens_in + tokens_out < MOST_TOKENS
            else (0, 0)
        )
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        return 0, 0


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        choice = json.loads(body.decode("utf-8-sig"))["choices"][0]
        message, finish = choice["message"], choice.get("finish_reason")
        if message.get("refusal") or finish == "content_filter":
            raise Failure("refused")
        if finish == "length":
            raise Failure("bad_answer", "cut off")
        return json_object(content_text(message["content"]))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise Failure("bad_answer") from None


def _vectors(body: bytes) -> dict[str, Any]:
    """The vectors of an answer in the order of the texts, all of one length, as {"vectors": [[…]]}. Raises Failure."""
    try:
        rows = sorted(json.loads(body)["data"], key=lambda row: int(row["index"]))
        vectors = [[float(number) for number in row["embedding"]] for row in rows]
        if not vectors or len({len(row) for row in vectors}) != 1 or not vectors[0]:
            raise ValueError("no vectors of one length")
        return {"vectors": vectors}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise Failure("bad_answer") from None

"""Which addresses webhooks may call, and receivers that refuse, hang, drip, reset, flood or redirect (cases 21 and 23)."""

import socket
import ssl
import time

import pytest
import trustme

from channels import webhook_sender
from channels.webhook_sender import Refused, Sender, is_public
from tests.fakes.webhook_receiver import Receiver, drips, floods, hangs, resets

LOCAL = ("127.0.0.1",)
HEADERS = {"webhook-id": "one"}
NOT_PUBLIC = """
    127.0.0.1 127.9.9.9 0.0.0.0 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.100.100.200 100.64.0.1 192.0.0.192
    168.63.129.16 192.88.99.1 198.18.0.1 192.0.2.1 224.0.0.1 240.0.0.1 255.255.255.255
    ::1 :: fe80::1 fe80::1%1 fc00::1 fd00:ec2::254 fec0::1 ff02::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::127.0.0.1 ::ffff:0:127.0.0.1
    64:ff9b::7f00:1 64:ff9b:1::1 2002:7f00:1:: 2001::1 2001:db8::1 3fff::1 5f00::1
""".split()


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_case_23_an_address_that_is_not_on_the_public_internet(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001:830::200e"])
def test_an_address_on_the_public_internet(address):
    assert is_public(address)


REFUSED = """
    https://127.0.0.1/ https://localhost/ https://localhost./ https://[::1]/ https://[::ffff:127.0.0.1]/ https://2130706433/
    https://0x7f000001/ https://0177.0.0.1/ https://127.1/ https://0/ https://169.254.169.254/latest/meta-data/
    https://[fe80::1%25lo]/ https://[::ffff:7f00:1]/ https://127.0.0.1.:443/ https://%6c%6f%63%61%6c%68%6f%73%74/
    http://1.1.1.1/ ftp://1.1.1.1/ file:///etc/passwd gopher://1.1.1.1/ javascript:alert(1) //1.1.1.1/ 1.1.1.1 https:///x https://
    https://user:password@1.1.1.1/ https://1.1.1.1@127.0.0.1/ https://1.1.1.1\\@127.0.0.1/ https://1.1.1.1:99999/ https://1.1.1.1:x/
    https://nowhere.invalid/ https://-/ https://a..b/ https://１２７.0.0.1/
""".split()


@pytest.mark.parametrize(
    "url", [*REFUSED, "https://1.1.1.1/a b", "https://1.1.1.1/\n", "https://1.1.1.1/" + "a" * 2000]
)
def test_case_23_a_url_that_is_refused_when_it_is_subscribed_and_when_it_is_called(url):
    sender = Sender()
    with pytest.raises(Refused, match=r"url|host"):
        sender.check(url)
    answer = sender.post(url, b"{}", HEADERS)
    assert (answer.status, bool(answer.error)) == (0, True)


def test_case_23_the_name_is_resolved_once_for_each_call_and_the_call_goes_to_that_address(monkeypatch):
    answers = iter([["1.1.1.1"], ["127.0.0.1"], ["1.1.1.1", "127.0.0.1"]])
    connected = []

    def look_up(host, port, **more):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in next(answers)]

    def connect(self):
        connected.append(self.host)
        raise ConnectionRefusedError

    monkeypatch.setattr(webhook_sender.socket, "getaddrinfo", look_up)
    monkeypatch.setattr(webhook_sender.HTTPSConnection, "connect", connect)
    sender = Sender()
    assert sender.post("https://rebinds.example/", b"{}", HEADERS).error == "The receiver cannot be reached."
    assert connected == ["1.1.1.1"]
    for _ in range(2):  # rebound, and a mixed answer
        assert "not on the public internet" in sender.post("https://rebinds.example/", b"{}", HEADERS).error
    assert connected == ["1.1.1.1"]


def test_case_23_an_exception_counts_as_it_is_written_in_the_url():
    with Receiver() as receiver:
        by_name = receiver.url.replace("127.0.0.1", "localhost")
        sender = Sender(["LocalHost"])
        sender.check(by_name)
        assert sender.post(by_name, b"{}", HEADERS).status == 200
        for url in (
            receiver.url,
            receiver.url.replace("127.0.0.1", "127.1"),
            receiver.url.replace("127.0.0.1", "[::1]"),
        ):
            with pytest.raises(Refused):
                sender.check(url)
        assert len(receiver.calls) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_case_21_a_redirect_to_an_internal_host_is_not_followed(status):
    with Receiver() as internal, Receiver(lambda call, handler: (status, {"Location": internal.url})) as receiver:
        answer = Sender(LOCAL).post(receiver.url, b"{}", HEADERS)
        assert (answer.status, "Redirects are not followed" in answer.error) == (status, True)
        assert internal.calls == []


def test_no_proxy_and_no_password_file_of_the_environment_is_used(monkeypatch, tmp_path):
    with Receiver() as proxy, Receiver() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login a password b")
        monkeypatch.setenv("NETRC", str(netrc))
        assert Sender(LOCAL).post(receiver.url, b"{}", HEADERS).status == 200
        assert proxy.calls == []
        assert "authorization" not in receiver.calls[0].headers


@pytest.mark.parametrize(
    ("behaviour", "error"), [(hangs, "in time"), (drips, "in time"), (resets, "broke the connection off")]
)
def test_case_21_a_receiver_that_hangs_drips_or_resets_ends_within_the_time(behaviour, error):
    with Receiver(behaviour) as receiver:
        begun = time.monotonic()
        answer = Sender(LOCAL, total_seconds=0.5).post(receiver.url, b"{}", HEADERS)
        assert (answer.status, error in answer.error) == (0, True)
        assert time.monotonic() - begun < 10  # not for ever; how long exactly depends on the machine


def test_case_21_an_endless_answer_is_not_read_to_its_end():
    with Receiver(floods) as receiver:
        assert Sender(LOCAL, total_seconds=5).post(receiver.url, b"{}", HEADERS).status == 200


def test_a_port_where_nobody_listens_is_a_failure(free_port):
    answer = Sender(LOCAL).post(f"http://127.0.0.1:{free_port}/", b"{}", HEADERS)
    assert (answer.status, answer.error) == (0, "The receiver cannot be reached.")


@pytest.mark.parametrize(("header", "seconds"), [("120", 120), ("", 0), ("soon", 0), ("-5", 0), ("9" * 30, 0)])
def test_retry_after_is_read(header, seconds):
    with Receiver(lambda call, handler: (429, {"Retry-After": header} if header else {})) as receiver:
        answer = Sender(LOCAL).post(receiver.url, b"{}", HEADERS)
        assert (answer.status, answer.retry_after) == (429, seconds)


def test_retry_after_may_be_a_date():
    with Receiver(lambda call, handler: (503, {"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"})) as receiver:
        assert Sender(LOCAL).post(receiver.url, b"{}", HEADERS).retry_after > 10**9


def test_the_body_arrives_byte_for_byte_with_path_query_and_host():
    body = '{"title": "naïve 日本 😀"}'.encode()
    with Receiver() as receiver:
        url = f"{receiver.url}/ä?sig=a%2Fb&x=1#part"
        assert Sender(LOCAL).post(url, body, HEADERS).status == 200
        [call] = receiver.calls
        assert call.body == body
        assert call.path == "/hook/%C3%A4?sig=a%2Fb&x=1"
        assert call.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_a_certificate_of_another_host_or_by_nobody_known_is_refused(monkeypatch):
    authority = trustme.CA()
    for name, error in (("localhost", ""), ("other.example", "certificate")):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        with Receiver(tls=context) as receiver:
            sender = Sender(["localhost"])
            url = receiver.url.replace("http://127.0.0.1", "https://localhost")
            assert "certificate" in sender.post(url, b"{}", HEADERS).error  # by an authority nobody knows
            authority.configure_trust(sender._tls)
            answer = sender.post(url, b"{}", HEADERS)
            assert (answer.status, error in answer.error) == (0 if error else 200, True)

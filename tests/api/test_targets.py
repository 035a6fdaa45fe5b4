"""Requests to addresses that others chose reach the public internet, and named hosts, and nothing else."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpcore
import pytest

from api.services.targets import CheckedBackend, Outside, TargetError, TargetFailure, check_url, is_public
from tests.receiver import receiver

PRIVATE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "192.0.2.1", "198.18.0.1",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1",
    "fec0::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "2002:7f00:1::", "2002:a00:1::1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2001:0:7f00:1::",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_of_the_public_internet_is_refused(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    backend = CheckedBackend(look_up=lambda _host, _port: ["1.1.1.1", address])  # one bad address is enough
    with pytest.raises(TargetError):
        backend.connect_tcp("crm.example", 443)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_of_the_public_internet_is_not(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://crm.example/", "ftp://crm.example/", "https://", "https://user:word@crm.example/", "https://crm.example/#here", "file:///etc/passwd",
        "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://169.254.169.254/latest", "https://localhost/",
        "https://api.localhost:8443/", "https://db.internal/", "https://crm.example:0/", "https://crm.example:99999/", "https://crm.example/a b", "gopher://x",
        "//crm.example/", "https://[::1%25eth0]/", "https://ĉrm.example/",
    ],
)  # fmt: skip
def test_addresses_that_nothing_is_sent_to(url: str) -> None:
    with pytest.raises(TargetError):
        check_url(url)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "017700000001", "127.1"])
def test_odd_ways_to_write_this_machine_are_seen_through(host: str) -> None:
    """Such hosts are names to us; the system's resolver makes addresses of them, and those are what is checked."""
    with pytest.raises((TargetError, httpcore.ConnectError)):
        CheckedBackend().connect_tcp(host, 443)


def test_a_named_host_may_be_anywhere_and_others_may_not() -> None:
    assert check_url("http://crm.lan:8080/hook", hosts={"crm.lan"}) == "http://crm.lan:8080/hook"
    with pytest.raises(TargetError):
        check_url("http://other.lan/hook", hosts={"crm.lan"})


def test_the_connection_is_made_to_the_very_address_that_was_checked() -> None:
    """A name that answers differently the second time is asked once."""
    asked = []

    def look_up(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with receiver() as crm:
        port = crm.url.split(":")[2].split("/")[0]
        outside = Outside({"crm.example"}, look_up=look_up)
        answer = outside.send("POST", f"http://crm.example:{port}/hook", body=b"{}")
        outside.close()
    assert answer.status == 204
    assert asked == ["crm.example"]
    assert crm.got[0].headers["host"] == f"crm.example:{port}"


def test_redirects_are_not_followed() -> None:
    with receiver() as crm:
        crm.answer(302, headers={"location": "http://127.0.0.1:1/secret"})
        outside = Outside({"127.0.0.1"})
        assert outside.send("POST", crm.url, body=b"{}").status == 302
        outside.close()
        assert len(crm.got) == 1


def test_endless_answers_are_cut_off() -> None:
    with receiver() as crm:
        crm.answering = lambda _got: (200, {}, b"x" * 3_000_000)
        outside = Outside({"127.0.0.1"})
        assert len(outside.send("GET", crm.url).body) == 256 * 1024
        assert len(outside.send("GET", crm.url, whole=3_000_000).body) == 3_000_000
        with pytest.raises(TargetFailure, match="cut"):
            outside.send("GET", crm.url, whole=2_999_999)
        outside.close()


def test_one_who_does_not_answer_is_waited_for_so_long_and_no_longer() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        outside = Outside({"127.0.0.1"}, timeout_s=0.2)
        began = time.monotonic()
        with pytest.raises(TargetFailure, match="in time"):
            outside.send("POST", f"http://127.0.0.1:{silent.getsockname()[1]}/", body=b"{}")
        assert time.monotonic() - began < 5
        outside.close()


@contextmanager
def dripping(first: bytes, drop: bytes) -> Iterator[int]:
    """Somebody who answers a little at a time and never ends; yields the port."""
    over = threading.Event()

    def drip(here: socket.socket) -> None:
        with suppress(OSError):
            there, _ = here.accept()
            with there:
                there.sendall(first)
                while not over.wait(0.02):
                    there.sendall(drop)

    with socket.socket() as here:
        here.bind(("127.0.0.1", 0))
        here.listen()
        thread = threading.Thread(target=drip, args=(here,), daemon=True)
        thread.start()
        yield here.getsockname()[1]
        over.set()
        thread.join(5)


def test_one_who_answers_a_byte_now_and_then_is_not_waited_for_either() -> None:
    with dripping(b"HTTP/1.1 200 OK\r\nx-slow: ", b"x") as port:
        outside = Outside({"127.0.0.1"}, timeout_s=0.3)
        began = time.monotonic()
        with pytest.raises(TargetFailure, match="in time"):
            outside.send("POST", f"http://127.0.0.1:{port}/", body=b"{}")
        assert time.monotonic() - began < 30, "it never ends"
        outside.close()


def test_an_answer_whose_body_does_not_end_counts_as_far_as_it_came() -> None:
    with dripping(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", b"x") as port:
        outside = Outside({"127.0.0.1"}, timeout_s=0.3)
        answer = outside.send("POST", f"http://127.0.0.1:{port}/", body=b"{}")
        assert (answer.status, set(answer.body)) == (200, {ord("x")})
        outside.close()


def test_every_cookie_of_an_answer_is_kept() -> None:
    with receiver() as crm:
        crm.answers.append((200, {"set-cookie": "a=1", "Set-Cookie": "b=2; Path=/"}, b""))
        outside = Outside({"127.0.0.1"})
        assert outside.send("GET", crm.url).cookies == ("a=1", "b=2; Path=/")
        outside.close()

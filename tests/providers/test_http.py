"""The transport against real sockets: its deadline, and the line between "not sent" and "lost"."""

from __future__ import annotations

import datetime as dt
import ipaddress
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from einvoice.providers import http
from einvoice.providers.http import HttpTransport, Lost, NotSent, Reply
from tests.providers.servers import Server, always, answer, drip, read_request, serving

LIMIT_S = 0.25
TOLERANCE_S = 0.1
JSON = {"Content-Type": "application/json"}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"


def post(transport: HttpTransport, origin: str, timeout_s: float = 5.0, **more: int) -> Reply:
    """One call of the transport under test."""
    return transport.post(f"{origin}/B2CInvoice/Issue", b'{"a":1}', JSON, timeout_s, **more)


def test_an_answer_comes_back_whole_and_the_connection_is_used_again() -> None:
    """Status, headers and body arrive as sent; three calls need one connection."""
    with serving(always(answer(b"hello", headers="X-Kind: a\r\n"))) as server:
        transport = HttpTransport()
        replies = [post(transport, server.origin) for _ in range(3)]
    assert {(r.status, r.headers["x-kind"], r.body) for r in replies} == {(200, "a", b"hello")}
    assert server.connections == 1
    assert server.requests[0].startswith(b"POST /B2CInvoice/Issue HTTP/1.1\r\n")


def test_a_chunked_answer_is_whole_and_keeps_the_connection() -> None:
    """Chunked transfer needs no Content-Length."""
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    with serving(always(chunked)) as server:
        transport = HttpTransport()
        assert [post(transport, server.origin).body for _ in range(2)] == [b"abcde", b"abcde"]
    assert server.connections == 1


def on_time(call: Callable[[], object], before: Callable[[], object] = lambda: None) -> str:
    """Cause of the failure of ``call``, which must come within 100 ms of ``LIMIT_S``.

    A busy machine may spoil two tries; a deadline that does not hold spoils all three.
    """
    taken = []
    for _ in range(3):
        before()
        started = time.monotonic()
        with pytest.raises((Lost, NotSent)) as failure:
            call()
        taken.append(time.monotonic() - started)
        if abs(taken[-1] - LIMIT_S) < TOLERANCE_S:
            return f"{type(failure.value).__name__} {failure.value}"
    pytest.fail(f"seconds: {taken}")


def hang(server: Server, connection: socket.socket) -> None:
    """Say nothing until the test is over."""
    server.stopped.wait(5)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
# where the server begins to drip: what it sends at once, and what it drips then
DRIPS = {
    "status line": (b"", b"HTTP/1.1 200 OK and a reason that never ends" + b"." * 1000),
    "headers": (b"", b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 1000),
    "one header": (b"HTTP/1.1 200 OK\r\nX-Long: ", b""),
    "body": (HEAD, b""),
    "chunk": (CHUNKED + b"fff0\r\n", b""),
    "chunk size": (CHUNKED, b"0" * 1000),
    "100-continue": (b"HTTP/1.1 100 Continue\r\n\r\n" * 500, b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
}


def be_slow(where: str, server: Server, connection: socket.socket) -> None:
    """Hang, or drip one byte at a time."""
    if where == "hang":
        hang(server, connection)
    else:
        at_once, then = DRIPS[where]
        connection.sendall(at_once)
        drip(server, connection, then)


@pytest.mark.parametrize("reused", [False, True], ids=["fresh", "reused"])
@pytest.mark.parametrize("where", ["hang", *DRIPS])
def test_the_deadline_holds_wherever_the_server_is_slow(where: str, reused: bool) -> None:
    """Hanging or dripping anywhere ends within 100 ms of the deadline, on new and on reused connections."""

    def script(server: Server, connection: socket.socket, number: int) -> None:
        if reused:
            read_request(server, connection)
            connection.sendall(answer(b"first"))
        read_request(server, connection)
        be_slow(where, server, connection)

    with serving(script) as server:
        transport = HttpTransport()
        # On a connection that were not reused the server would answer, and the call would not fail.
        prepare = (lambda: post(transport, server.origin)) if reused else (lambda: None)
        assert on_time(lambda: post(transport, server.origin, LIMIT_S), prepare) == "Lost TIMEOUT"


def test_the_deadline_holds_while_sending() -> None:
    """A server that accepts and never reads cannot hold a large request."""
    with serving(lambda server, connection, number: hang(server, connection)) as server:
        large = b"x" * 20_000_000
        assert on_time(lambda: HttpTransport().post(server.origin, large, JSON, LIMIT_S)) == "Lost TIMEOUT"


@pytest.mark.parametrize("where", ["nothing", "status line", "body"])
def test_a_dropped_connection_is_lost(where: str) -> None:
    """A connection that ends before the answer is whole leaves the outcome unknown."""
    sent = {"nothing": b"", "status line": b"HTTP/1.1 20", "body": HEAD + b"{"}[where]

    def script(server: Server, connection: socket.socket, number: int) -> None:
        read_request(server, connection)
        connection.sendall(sent)

    with serving(script) as server, pytest.raises(Lost) as lost:
        post(HttpTransport(), server.origin)
    assert lost.value.cause == "CONNECTION_LOST"


def test_a_reset_is_lost() -> None:
    """A reset after the request was read is not a proof that nothing happened."""

    def script(server: Server, connection: socket.socket, number: int) -> None:
        read_request(server, connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    with serving(script) as server, pytest.raises(Lost) as lost:
        post(HttpTransport(), server.origin)
    assert lost.value.cause == "CONNECTION_LOST"
    assert len(server.requests) == 1


def test_a_request_is_sent_once_even_if_the_reused_connection_dies() -> None:
    """A kept connection that dies *during* the call is lost, not silently tried again on another one."""

    def script(server: Server, connection: socket.socket, number: int) -> None:
        read_request(server, connection)
        connection.sendall(answer(b"first"))
        read_request(server, connection)

    with serving(script) as server:
        transport = HttpTransport()
        post(transport, server.origin)
        with pytest.raises(Lost):
            post(transport, server.origin)
        assert (server.connections, len(server.requests)) == (1, 2)


def test_a_connection_the_peer_closed_is_noticed_before_sending() -> None:
    """A kept connection that was closed meanwhile is replaced without a lost request."""

    def script(server: Server, connection: socket.socket, number: int) -> None:
        read_request(server, connection)
        connection.sendall(answer(str(number).encode()))

    with serving(script) as server:
        transport = HttpTransport()
        assert post(transport, server.origin).body == b"1"
        time.sleep(0.05)  # the server's FIN
        assert post(transport, server.origin).body == b"2"


def test_a_connection_idle_for_long_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """After ``MAX_IDLE_S`` a balancer may have forgotten the connection, so a new one is made."""
    with serving(always(answer(b"x"))) as server:
        transport = HttpTransport()
        post(transport, server.origin)
        later = time.time() + http.MAX_IDLE_S
        monkeypatch.setattr(time, "time", lambda: later)
        post(transport, server.origin)
    assert server.connections == 2


def test_the_rest_of_an_abandoned_answer_is_never_the_next_answer() -> None:
    """After a too large answer the next call gets its own one."""

    def script(server: Server, connection: socket.socket, number: int) -> None:
        while read_request(server, connection):
            connection.sendall(answer(b"x" * 5000 if number == 1 else b"mine"))

    with serving(script) as server:
        transport = HttpTransport()
        with pytest.raises(Lost) as lost:
            post(transport, server.origin, max_bytes=100)
        assert post(transport, server.origin).body == b"mine"
    assert lost.value.cause == "TOO_LARGE"


@pytest.mark.parametrize("head", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"])
def test_an_endless_answer_is_cut_off(head: bytes) -> None:
    """The cap holds without a Content-Length, long before the deadline."""

    def script(server: Server, connection: socket.socket, number: int) -> None:
        read_request(server, connection)
        connection.sendall(head)
        chunk = b"%x\r\n" % 65536 + b"x" * 65536 + b"\r\n"
        while not server.stopped.is_set():
            connection.sendall(chunk)

    with serving(script) as server, pytest.raises(Lost) as lost:
        post(HttpTransport(), server.origin)
    assert lost.value.cause == "TOO_LARGE"


def test_a_compressed_answer_is_not_unpacked() -> None:
    """The bytes come as they are; the cap counts what arrives."""
    with serving(always(answer(b"\x1f\x8b not gzip", headers="Content-Encoding: gzip\r\n"))) as server:
        assert post(HttpTransport(), server.origin).body == b"\x1f\x8b not gzip"


def test_redirects_are_not_followed() -> None:
    """A 307 comes back as it is; nothing is sent to the address it names."""
    with serving(always(answer(b"elsewhere"))) as elsewhere:
        redirect = answer(b"", "307 Temporary Redirect", f"Location: {elsewhere.origin}/\r\n")
        with serving(always(redirect)) as server:
            assert post(HttpTransport(), server.origin).status == 307
    assert elsewhere.connections == 0


def test_garbage_never_raises_anything_else() -> None:
    """Whatever bytes come back, the call ends in a reply or in Lost (300 seeded answers)."""
    dice = random.Random(20260301)
    pieces = [
        b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 ", b"HTTP/9.9 999 \xff\r\n", b"\r\n", b"\x00", b"Content-Length: -5\r\n",
        b"Content-Length: 1\r\nContent-Length: 2\r\n", b"Transfer-Encoding: chunked\r\n", b"zz\r\n", b": \r\n",
        b"A" * 70000, b"Content-Length: 99999999999999999999\r\n", b"X: y\r\n" * 120, b"HTTP/1.1 204 No\r\n\r\n",
    ]  # fmt: skip
    answers = [b"".join(dice.choices(pieces, k=dice.randrange(1, 6))) for _ in range(300)]

    def script(server: Server, connection: socket.socket, number: int) -> None:
        read_request(server, connection)
        connection.sendall(answers[len(server.requests) - 1])

    ends: set[type] = set()
    with serving(script) as server:
        transport = HttpTransport()
        for _ in answers:
            try:
                ends.add(type(post(transport, server.origin)))
            except Lost:
                ends.add(Lost)
    assert ends == {Reply, Lost}


# --- nothing was sent ---


def test_a_refused_connection_was_not_sent() -> None:
    """No listener: proven not sent."""
    with serving(always(b"")) as server:
        origin = server.origin
    with pytest.raises(NotSent) as not_sent:
        post(HttpTransport(), origin)
    assert not_sent.value.cause == "CONNECT_FAILED"


@pytest.mark.parametrize("host", ["nowhere.invalid", "x" * 64 + ".invalid"])
def test_an_unknown_name_was_not_sent(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No address: proven not sent (the resolver is a fake, so that the test asks nobody)."""

    def resolver(name: str, *args: object, **kwargs: object) -> None:
        name.encode("idna")
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    with pytest.raises(NotSent) as not_sent:
        post(HttpTransport(), f"http://{host}:8080")
    assert not_sent.value.cause == "DNS_FAILED"


def test_a_resolver_that_hangs_does_not_hold_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """``getaddrinfo`` has no timeout of its own; the deadline holds all the same."""
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: release.wait(5) and [])
    assert on_time(lambda: post(HttpTransport(), "http://slow.invalid", LIMIT_S)) == "NotSent DNS_FAILED"
    release.set()


@pytest.mark.parametrize(("timeout_s", "connect_timeout_s"), [(LIMIT_S, 5.0), (5.0, LIMIT_S)])
def test_a_connect_that_gets_no_answer_was_not_sent(
    timeout_s: float, connect_timeout_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two silent addresses share the connect timeout and the deadline; the shorter one counts."""
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    fillers = []
    for _ in range(3):  # a full backlog leaves further SYNs without an answer
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(full.getsockname())
        fillers.append(filler)
    address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", full.getsockname())
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: [address, address])
    assert (
        on_time(lambda: post(HttpTransport(connect_timeout_s=connect_timeout_s), "http://silent.invalid", timeout_s))
        == "NotSent CONNECT_FAILED"
    )
    for sock in (full, *fillers):
        sock.close()


def test_no_time_at_all_was_not_sent() -> None:
    """A call without time does not even connect."""
    with serving(always(answer(b"x"))) as server:
        with pytest.raises(NotSent) as not_sent:
            post(HttpTransport(), server.origin, 0)
        assert server.connections == 0
    assert not_sent.value.cause == "NO_TIME"


# --- TLS ---


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A throw-away certificate for 127.0.0.1, strict enough for VERIFY_X509_STRICT; its folder."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "einvoice test")])
    now = dt.datetime.now(dt.UTC)
    usage = dict.fromkeys(
        ["content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign", "encipher_only",
         "decipher_only"], False)  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder


@pytest.fixture
def server_tls(authority: Path) -> ssl.SSLContext:
    """The server's side of that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "cert.pem", authority / "key.pem")
    return context


def test_tls_calls_share_one_session(authority: Path, server_tls: ssl.SSLContext) -> None:
    """Three verified calls need one connection."""
    with serving(always(answer(b"sealed")), server_tls) as server:
        transport = HttpTransport(ca_file=str(authority / "cert.pem"))
        replies = [post(transport, f"https://127.0.0.1:{server.port}") for _ in range(3)]
    assert [reply.body for reply in replies] == [b"sealed"] * 3
    assert server.connections == 1


@pytest.mark.parametrize("reused", [False, True], ids=["fresh", "reused"])
@pytest.mark.parametrize("where", ["hang", "status line", "headers", "body"])
def test_the_deadline_holds_over_tls(where: str, reused: bool, authority: Path, server_tls: ssl.SSLContext) -> None:
    """As without TLS."""

    def script(server: Server, connection: socket.socket, number: int) -> None:
        if reused:
            read_request(server, connection)
            connection.sendall(answer(b"first"))
        read_request(server, connection)
        be_slow(where, server, connection)

    with serving(script, server_tls) as server:
        transport = HttpTransport(ca_file=str(authority / "cert.pem"))
        origin = f"https://127.0.0.1:{server.port}"
        prepare = (lambda: post(transport, origin)) if reused else (lambda: None)
        assert on_time(lambda: post(transport, origin, LIMIT_S), prepare) == "Lost TIMEOUT"


def test_a_record_that_drips_below_tls_does_not_stretch_the_deadline(
    authority: Path, server_tls: ssl.SSLContext
) -> None:
    """One TLS record sent byte by byte is one long read inside OpenSSL; it ends in time too."""

    def script(server: Server, raw: socket.socket, number: int) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = server_tls.wrap_bio(incoming, outgoing, server_side=True)

        def pump(step: Callable[[], bytes | None]) -> bytes | None:
            while True:
                try:
                    result = step()
                except ssl.SSLWantReadError:
                    raw.sendall(outgoing.read())
                    incoming.write(raw.recv(65536))
                else:
                    raw.sendall(outgoing.read())
                    return result

        pump(tls.do_handshake)
        pump(lambda: tls.read(65536))
        tls.write(HEAD + b"x" * 10_000)
        drip(server, raw, outgoing.read())

    with serving(script) as server:
        assert (
            on_time(
                lambda: post(
                    HttpTransport(ca_file=str(authority / "cert.pem")), f"https://127.0.0.1:{server.port}", LIMIT_S
                )
            )
            == "Lost TIMEOUT"
        )


@pytest.mark.parametrize("how", ["unknown authority", "wrong host", "TLS 1.1", "not TLS"])
def test_a_handshake_that_fails_was_not_sent(how: str, authority: Path, server_tls: ssl.SSLContext) -> None:
    """Whatever is wrong with the peer's TLS, no byte of the order leaves."""
    read = []

    def script(server: Server, connection: socket.socket, number: int) -> None:
        if how == "not TLS":
            connection.sendall(answer(b"plain"))
        read.append(connection.recv(65536))

    ca_file = None if how == "unknown authority" else str(authority / "cert.pem")
    host = "localhost" if how == "wrong host" else "127.0.0.1"
    context = server_tls
    if how == "TLS 1.1":
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with serving(script, None if how == "not TLS" else context) as server, pytest.raises(NotSent) as not_sent:
        post(HttpTransport(ca_file=ca_file), f"https://{host}:{server.port}")
    assert not_sent.value.cause == "TLS_FAILED"
    assert not any(b"B2CInvoice" in data for data in read)


@pytest.mark.parametrize("how", ["silent", "dripping"])
def test_a_handshake_that_takes_too_long_was_not_sent(how: str) -> None:
    """The deadline holds inside the handshake."""

    def script(server: Server, connection: socket.socket, number: int) -> None:
        if how == "dripping":
            drip(server, connection, b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03" + b"\x01" * 1000)
        hang(server, connection)

    with serving(script) as server:
        assert (
            on_time(lambda: post(HttpTransport(), f"https://127.0.0.1:{server.port}", LIMIT_S)) == "NotSent TLS_FAILED"
        )


def test_threads_share_the_pool_and_keep_their_own_deadlines() -> None:
    """A slow call in one thread neither shortens nor stretches a quick one beside it."""

    def script(server: Server, connection: socket.socket, number: int) -> None:
        while read_request(server, connection):
            if b"/slow" in server.requests[-1]:
                hang(server, connection)
            connection.sendall(answer(b"quick"))

    ends: dict[str, object] = {}
    with serving(script) as server:
        transport = HttpTransport()

        def call(name: str) -> None:
            try:
                ends[name] = transport.post(f"{server.origin}/{name}", b"{}", JSON, LIMIT_S).body
            except Lost as error:
                ends[name] = error.cause

        slow = threading.Thread(target=call, args=("slow",))
        slow.start()
        time.sleep(0.1)
        call("quick")
        assert slow.is_alive()
        slow.join(5)
    assert ends == {"quick": b"quick", "slow": "TIMEOUT"}

"""Between a function and the embedded AWS (側錄代理): passes every call on, keeps who asked for what.

Every function has a witness of its own as its AWS endpoint, so a call needs no telling whose it was.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

FORWARD_S = 10.0
HOP_BY_HOP = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive"})
_SERVICE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
_EQUALS = re.compile(r"^\S+ = (:\w+)")  # a key condition begins with the partition key

Context = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one function: the IAM ``action``, on which ``resource``, with the condition keys IAM would see."""

    function: str
    action: str
    resource: str
    context: Context
    refused: bool

    def concerns(self, names: frozenset[str]) -> bool:
        """Whether it is about one of ``names`` (a merchant, a partition key), or about nobody in particular."""
        keys = [value for values in self.context.values() for value in values]
        return not keys or any(key == name or key.startswith(f"M#{name}#") for key in keys for name in names)


def read(function: str, headers: Mapping[str, str], body: bytes, names: Mapping[str, str]) -> Call:
    """What a signed request asks for; ``names``: the template's word for a table's or key's physical id."""
    signed = _SERVICE.search(headers.get("authorization", ""))
    service = signed[1] if signed else "unsigned"
    action = f"{service}:{headers.get('x-amz-target', '').rpartition('.')[2]}"
    asked: dict[str, Any] = json.loads(body) if body else {}
    if service == "dynamodb" and "RequestItems" in asked:
        ((table, batch),) = asked["RequestItems"].items()
        keys = {"dynamodb:LeadingKeys": sorted({key["pk"]["S"] for key in batch["Keys"]})}
        return Call(function, action, names.get(table, "another table"), keys, refused=False)
    if service == "dynamodb":
        index = f"/index/{asked['IndexName']}" if "IndexName" in asked else ""
        resource = names.get(str(asked.get("TableName")), "another table") + index
        return Call(function, action, resource, {} if index else _leading_keys(asked), refused=False)
    if service == "kms":
        bound = {f"kms:EncryptionContext:{key}": [value] for key, value in asked.get("EncryptionContext", {}).items()}
        return Call(function, action, names.get(str(asked.get("KeyId")), "another key"), bound, refused=False)
    return Call(function, action, "unknown", {}, refused=False)


def _leading_keys(asked: Mapping[str, Any]) -> Context:
    """``dynamodb:LeadingKeys`` of a request for items of the table itself."""
    item = asked.get("Item") or asked.get("Key")
    if item is None and (bound := _EQUALS.match(asked.get("KeyConditionExpression", ""))):
        item = {"pk": asked["ExpressionAttributeValues"][bound[1]]}
    return {"dynamodb:LeadingKeys": [item["pk"]["S"]]} if item else {}


class Witness:
    """The AWS endpoint of ``function``: ``url`` is what it is given, ``calls`` what came through."""

    def __init__(self, function: str, endpoint: str, names: Mapping[str, str]) -> None:
        self.calls: list[Call] = []
        self._function, self._target, self._names = function, urlsplit(endpoint), names
        witness = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # headers and body are two writes: the second would wait for the client

            def do_POST(self) -> None:
                witness.pass_on(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's signature
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name=f"witness-{function}", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def pass_on(self, request: BaseHTTPRequestHandler) -> None:
        """Carry one request out as it came, its Host header too: the signature stays valid."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = request.rfile.read(int(headers["content-length"]))
        connection = http.client.HTTPConnection(str(self._target.hostname), self._target.port, timeout=FORWARD_S)
        try:
            connection.request("POST", request.path, body, headers)
            answer = connection.getresponse()
            told = answer.read()
        finally:
            connection.close()
        call = read(self._function, headers, body, self._names)
        refused = answer.status >= http.HTTPStatus.BAD_REQUEST and b"AccessDenied" in told
        self.calls.append(Call(call.function, call.action, call.resource, call.context, refused))
        request.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                request.send_header(name, value)
        request.send_header("content-length", str(len(told)))
        request.end_headers()
        request.wfile.write(told)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

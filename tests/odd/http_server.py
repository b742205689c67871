"""A server that speaks the protocol right over Streamable HTTP, as few do: with what the standard library brings.

    http_server.py PORT

It speaks 2026-07-28, keeps connections open, writes head and body of an answer apart, and answers everything at once as
JSON. Standard library only.
"""

import http.server
import json
import math
import sys

REVISION = "2026-07-28"
META = "io.modelcontextprotocol/"
MISMATCH, UNSUPPORTED = -32020, -32022
ECHO = {
    "name": "echo",
    "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    "annotations": {"readOnlyHint": True},
}
CACHE = {"ttlMs": 0, "cacheScope": "private"}


class Refused(Exception):
    def __init__(self, code, text, data=None):
        super().__init__(text)
        self.error = {"code": code, "message": text} | ({"data": data} if data else {})


def is_id(value):
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def checked(params):
    """The parameters, if they say what every request says."""
    meta = params.get("_meta") if isinstance(params, dict) else None
    if not isinstance(meta, dict):
        raise Refused(-32602, "_meta is missing")
    version, capabilities = meta.get(META + "protocolVersion"), meta.get(META + "clientCapabilities")
    optional = {"clientInfo": dict, "logLevel": str}
    if not isinstance(version, str) or not isinstance(capabilities, dict):
        raise Refused(-32602, "_meta lacks something")
    if any(not isinstance(meta.get(META + name, kind()), kind) for name, kind in optional.items()):
        raise Refused(-32602, "something in _meta is of the wrong kind")
    if version != REVISION:
        raise Refused(UNSUPPORTED, "unsupported", {"supported": [REVISION], "requested": version})
    return params


def answer(method, params):
    if method == "server/discover":
        return {"supportedVersions": [REVISION], "capabilities": {"tools": {}}} | CACHE
    if method == "tools/list":
        if "cursor" in params:
            raise Refused(-32602, "there is one page")
        return {"tools": [ECHO]} | CACHE
    if method == "tools/call":
        arguments = params.get("arguments", {})
        if params.get("name") != "echo" or not isinstance(arguments, dict):
            raise Refused(-32602, "there is no such tool")
        text = arguments.get("text")
        if not isinstance(text, str):
            return {"content": [{"type": "text", "text": "text is no string"}], "isError": True}
        return {"content": [{"type": "text", "text": text}]}
    raise Refused(-32601, "there is no such method")


def no_number(word):
    raise ValueError(f"{word} is no JSON")


def finite(word):
    if math.isinf(number := float(word)):
        raise ValueError(f"{word} is too large")
    return number


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, message=None):
        body = b"" if message is None else json.dumps(message).encode()
        self.send_response(status)
        if body:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, error, id=None):
        self.reply(status, {"jsonrpc": "2.0", "id": id, "error": error} if id is not None else {"jsonrpc": "2.0", "error": error})

    def do_GET(self):
        self.reply(405)

    do_DELETE = do_GET

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Origin"):
            return self.reply(403)
        try:
            message = json.loads(body, parse_constant=no_number, parse_float=finite)
        except (ValueError, RecursionError):
            return self.refuse(400, {"code": -32700, "message": "no JSON"})
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0" or not isinstance(message.get("method"), str):
            return self.refuse(400, {"code": -32600, "message": "no message"})
        if "id" not in message:
            return self.reply(202)
        id, method, params = message["id"], message["method"], message.get("params")
        if not is_id(id):
            return self.refuse(400, {"code": -32600, "message": "no id"})
        try:
            self.check_headers(method, params)
            result = answer(method, checked(params))
        except Refused as refused:
            status = 404 if refused.error["code"] == -32601 else 400
            return self.refuse(status, refused.error, id)
        meta = {META + "serverInfo": {"name": "odd", "version": "0"}}
        self.reply(200, {"jsonrpc": "2.0", "id": id, "result": {"resultType": "complete", "_meta": meta} | result})

    def check_headers(self, method, params):
        """Headers repeat what the body says."""
        params = params if isinstance(params, dict) else {}
        meta = params.get("_meta") if isinstance(params.get("_meta"), dict) else {}
        said = {"MCP-Protocol-Version": meta.get(META + "protocolVersion", REVISION), "Mcp-Method": method}
        if method == "tools/call" and isinstance(params.get("name"), str):
            said["Mcp-Name"] = params["name"]
        for name, value in said.items():
            if [each.strip(" \t") for each in self.headers.get_all(name, [])] != [value]:
                raise Refused(MISMATCH, f"{name} says something else")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()

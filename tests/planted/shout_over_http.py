"""Repeats texts over Streamable HTTP. Planted: the text of the call that runs is kept for all sessions together, so that
two sessions that call at once get each other's. Calls of one session come one after the other. Planted otherwise: a text
that is no text ends the session that it came from.

    shout_over_http.py PORT [--planted | --planted-amnesia]
"""

import json
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PLANTED, AMNESIA = ("--planted" in sys.argv[2:], "--planted-amnesia" in sys.argv[2:])
SHOUT = {
    "name": "shout",
    "annotations": {"readOnlyHint": True},
    "inputSchema": {
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "pause_ms": {"type": "integer", "minimum": 0, "maximum": 100},
        },
        "required": ["text", "pause_ms"],
    },
}
ABOUT = {
    "protocolVersion": "2025-11-25",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "shout-over-http", "version": "1.0.0"},
}

sessions = {}
shared = {}


class Refused(Exception):
    def __init__(self, code, status=200):
        super().__init__(code)
        self.code, self.status = code, status


class WrongText(Refused):
    """What should be a text is none."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, message=None, session=None):
        body = b"" if message is None else json.dumps(message).encode()
        self.send_response(status)
        if message is not None:
            self.send_header("Content-Type", "application/json")
        if session:
            self.send_header("Mcp-Session-Id", session)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.reply(405)

    do_DELETE = do_GET

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        message = {}
        try:
            if self.headers.get("Origin"):
                raise Refused(-32600, 403)
            try:
                message = json.loads(body)
            except ValueError:
                raise Refused(-32700, 400) from None
            self.answer(message)
        except Refused as refused:
            number = message.get("id") if isinstance(message, dict) else None
            error = {"code": refused.code, "message": "this is not possible"}
            self.reply(refused.status, {"jsonrpc": "2.0", "id": number, "error": error})

    def answer(self, message):
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            raise Refused(-32600, 400)
        if "id" not in message or "method" not in message:
            return self.reply(202)
        session = self.headers.get("Mcp-Session-Id")
        if message["method"] == "initialize":
            session = str(uuid.uuid4())
            sessions[session] = threading.Lock()
        elif session not in sessions:
            raise Refused(-32600, 404 if session else 400)
        try:
            result = result_of(message, sessions[session])
        except WrongText:
            if AMNESIA:
                del sessions[session]
            raise
        self.reply(200, {"jsonrpc": "2.0", "id": message["id"], "result": result}, session)


def result_of(message, one_at_a_time):
    method = message["method"]
    if method == "initialize":
        return ABOUT
    if method == "ping":
        return {}
    if method == "tools/list":
        return {"tools": [SHOUT]}
    if method != "tools/call":
        raise Refused(-32601)
    params = message.get("params")
    arguments = params.get("arguments") if isinstance(params, dict) and params.get("name") == "shout" else None
    if not isinstance(arguments, dict):
        raise Refused(-32602)
    text, pause = arguments.get("text"), arguments.get("pause_ms")
    if not isinstance(text, str):
        raise WrongText(-32602)
    if type(pause) is not int or not 0 <= pause <= 100:
        raise Refused(-32602)
    with one_at_a_time:
        shared["text"] = text
        time.sleep(pause / 1000)
        said = shared["text"] if PLANTED else text
    return {"content": [{"type": "text", "text": said}]}


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()

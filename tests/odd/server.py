"""A server that speaks the protocol right, in ways that a careless judge takes for wrong.

    server.py [ODDITY ...]

It speaks stdio and the four stateful revisions. Standard library only.
"""

import itertools
import json
import math
import queue
import random
import re
import sys
import threading
import time

ODDITIES = set(sys.argv[1:])
REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
if "only-oldest" in ODDITIES:
    REVISIONS = ["2024-11-05"]
if "only-middle" in ODDITIES:
    REVISIONS = ["2025-06-18"]

OBJECT = {"type": "object"}
LIST_NODE = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}, "value": {"type": "integer"}}, "required": ["value"]}
TOOLS = [
    {"name": "anything", "inputSchema": OBJECT},
    {
        "name": "recursive",
        "inputSchema": {"type": "object", "$defs": {"node": LIST_NODE}, "properties": {"root": {"$ref": "#/$defs/node"}}, "required": ["root"]},
    },
    {
        "name": "choices",
        "inputSchema": {
            "type": "object",
            "properties": {
                "code": {"anyOf": [{"type": "string", "pattern": "^[a-f]{3,8}$"}, {"type": "null"}]},
                "kind": {"const": "fixed"},
                "size": {"enum": [1, "two", None]},
            },
            "required": ["kind", "code"],
        },
    },
    {
        "name": "older-dialect",
        "inputSchema": {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "definitions": {"share": {"type": "number", "exclusiveMinimum": 0, "maximum": 1}},
            "properties": {"share": {"$ref": "#/definitions/share"}},
            "required": ["share"],
            "additionalProperties": False,
        },
    },
    {
        "name": "measure",
        "title": "Measures",
        "inputSchema": OBJECT,
        "outputSchema": {"type": "object", "properties": {"metres": {"type": "number"}}, "required": ["metres"]},
    },
]


def is_number(value):
    return isinstance(value, int) and not isinstance(value, bool) or isinstance(value, float) and math.isfinite(value)


def is_node(value):
    if not isinstance(value, dict) or not is_number(value.get("value")) or value["value"] != int(value["value"]):
        return False
    return "next" not in value or is_node(value["next"])


def is_choice(arguments):
    code = arguments.get("code", 0)
    fits = code is None or isinstance(code, str) and re.search("^[a-f]{3,8}$", code)
    size = arguments.get("size")
    return fits and arguments.get("kind") == "fixed" and (size is None or size == "two" or is_number(size) and size == 1)


ACCEPTS = {
    "anything": lambda arguments: True,
    "recursive": lambda arguments: is_node(arguments.get("root")),
    "choices": is_choice,
    "older-dialect": lambda arguments: set(arguments) == {"share"} and is_number(arguments["share"]) and 0 < arguments["share"] <= 1,
    "measure": lambda arguments: True,
}

writing = threading.Lock()
revision = None
initialized = threading.Event()


def write(message):
    if "members-reversed" in ODDITIES and isinstance(message, dict):
        message = dict(reversed(list(message.items())))
    blanks = (" , ", " : ") if "blanks" in ODDITIES else None
    line = json.dumps(message, ensure_ascii="ascii" in ODDITIES, separators=blanks).encode() + b"\n"
    size = 7 if "dribbles" in ODDITIES else len(line)
    with writing:
        for start in range(0, len(line), size):
            sys.stdout.buffer.write(line[start : start + size])
            sys.stdout.buffer.flush()


def error(code, text, id=None):
    return {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": text}}


def is_id(value):
    return isinstance(value, str) or is_number(value)


def answer(message):
    global revision
    if isinstance(message, list):
        if revision != "2025-03-26" or not message:
            return error(-32600, "no array is expected here")
        return [one for one in map(answer, message) if one is not None] or None
    if not isinstance(message, dict):
        return error(-32600, "a message is an object")
    id = message.get("id")
    known = id if is_id(id) else None
    method, params = message.get("method"), message.get("params", {})
    if message.get("jsonrpc") != "2.0" or "method" in message and not isinstance(method, str):
        return error(-32600, "this is no message", known)
    if "method" not in message or "id" not in message:
        if method == "notifications/initialized":
            initialized.set()
        return None
    if known is None:
        return error(-32600, "this is no id")
    if not isinstance(params, dict):
        return error(-32602, "params is an object", id)
    found = result(method, params)
    return error(*found, id) if isinstance(found, tuple) else {"jsonrpc": "2.0", "id": id, "result": found}


def result(method, params):
    global revision
    if method == "initialize":
        kinds = {"protocolVersion": str, "capabilities": dict, "clientInfo": dict}
        if not all(isinstance(params.get(name), kind) for name, kind in kinds.items()):
            return -32602, "initialize lacks something"
        asked = params["protocolVersion"]
        revision = asked if asked in REVISIONS else REVISIONS[-1]
        capabilities = {} if "no-tools" in ODDITIES else {"tools": {}}
        greeting = {"protocolVersion": revision, "capabilities": capabilities, "serverInfo": {"name": "odd", "version": "0"}}
        if "extras" in ODDITIES:
            capabilities.update(experimental={"x": {}}, future={"y": 1})
            greeting.update(vendor={"a": 1}, _meta={"com.example/x": 1})
        return greeting
    if method == "ping":
        return {"_meta": {}} if "extras" in ODDITIES else {}
    if method == "tools/list" and "no-tools" not in ODDITIES:
        return tools(params.get("cursor"))
    if method == "tools/call" and "no-tools" not in ODDITIES:
        return call(params.get("name"), params.get("arguments", {}))
    return -32601, "there is no such method"


def tools(cursor):
    listed = [] if "nothing-listed" in ODDITIES else TOOLS
    if "pages" not in ODDITIES:
        return {"tools": listed} if cursor is None else (-32602, "there is one page")
    numbers = [str(number) for number in range(1, len(listed))]
    if cursor is not None and cursor not in numbers:
        return -32602, "there is no such page"
    number = int(cursor or 0)
    page = {"tools": listed[number : number + 1]}
    if str(number + 1) in numbers:
        page["nextCursor"] = str(number + 1)
    return page


def call(name, arguments):
    if not isinstance(name, str) or not isinstance(arguments, dict) or name not in ACCEPTS:
        return -32602, "there is no such tool"
    if not ACCEPTS[name](arguments):
        return {"content": [{"type": "text", "text": "these arguments do not fit"}], "isError": True}
    if "out-of-order" in ODDITIES:
        time.sleep(random.random() / 50)
    if name == "measure":
        return {"content": [{"type": "text", "text": '{"metres": 1.5}'}], "structuredContent": {"metres": 1.5}}
    return {"content": [] if "empty-content" in ODDITIES else [{"type": "text", "text": "d\u00e9j\u00e0 \u2603"}]}


def no_number(word):
    raise ValueError(f"{word} is no JSON")


def serve(line):
    try:
        # Reads UTF-16 too, which is generous and not wrong.
        message = json.loads(line, parse_constant=no_number)
    except (ValueError, RecursionError):
        return write(error(-32700, "this is no JSON"))
    answered = answer(message)
    if "late-errors" in ODDITIES and isinstance(answered, dict) and answered["id"] is None:
        threading.Timer(random.random() / 100, write, (answered,)).start()
    elif answered is not None:
        write(answered)


def ping_now_and_then():
    initialized.wait()
    for number in itertools.count():
        write({"jsonrpc": "2.0", "id": f"ping-{number}", "method": "ping"})
        time.sleep(0.05)


def complain_without_end():
    while True:
        sys.stderr.write("still here " * 90 + "\n")
        time.sleep(0.001)


for oddity, habit in {"pings": ping_now_and_then, "noisy": complain_without_end}.items():
    if oddity in ODDITIES:
        threading.Thread(target=habit, daemon=True).start()
waiting = queue.Queue()


def serve_slowly():
    while (line := waiting.get()) is not None:
        time.sleep(0.05)
        serve(line)


# What lives, and answers pings at once, may take its time for the rest.
slow = threading.Thread(target=serve_slowly)
if "quick-pings" in ODDITIES:
    slow.start()
for line in sys.stdin.buffer:
    if not line.strip():
        continue
    if "quick-pings" in ODDITIES and b'"ping"' not in line:
        waiting.put(line)
    elif "out-of-order" in ODDITIES and revision:
        threading.Thread(target=serve, args=(line,)).start()
    else:
        serve(line)
waiting.put(None)

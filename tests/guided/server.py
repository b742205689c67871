"""A server with one tool that dies of very few of its arguments: the measure of guided fuzzing.

`server.py [BUG]`; without a name the bug is that of rust/, and of none the answers show anything."""

import json
import sys

TEXT = {"type": "string"}
KINDS = ["create", "delete", "list", "rename", "restore", "rollback", "show", "verify"]


def dies_of(text, prefix):
    """Each character is looked at alone."""
    for place, character in enumerate(prefix):
        if text[place : place + 1] != character:
            return False
    return True


def prefix(arguments):
    """Four characters."""
    mode = arguments["mode"]
    if mode[:1] == "Q":
        if mode[1:2] == "z":
            if mode[2:3] == "7":
                if mode[3:4] == "#":
                    sys.exit(3)


def deep(arguments):
    """Seven characters, in a loop: only how often it turns tells how far a text came."""
    if dies_of(arguments["mode"], "Qz7#k!M"):
        sys.exit(4)


def nested(arguments):
    """Three characters of a text within an object within the arguments."""
    step = arguments["plan"]["step"]["name"]
    if step[:1] == "Q":
        if step[1:2] == "z":
            if step[2:3] == "7":
                sys.exit(5)


def gated(arguments):
    """Three characters, behind one value of an enumeration and a flag, both of which stand after the text."""
    if arguments["kind"] == "rollback":
        if arguments["force"]:
            name = arguments["name"]
            if name[:1] == "Q":
                if name[1:2] == "z":
                    if name[2:3] == "7":
                        sys.exit(6)


def schema(properties):
    return {"type": "object", "properties": properties, "required": list(properties)}


BUGS = {
    "prefix": (prefix, schema({"mode": TEXT})),
    "deep": (deep, schema({"mode": TEXT})),
    "nested": (nested, schema({"title": TEXT, "plan": schema({"step": schema({"note": TEXT, "name": TEXT})})})),
    "gated": (gated, schema({"name": TEXT, "note": TEXT, "kind": {"enum": KINDS}, "force": {"type": "boolean"}})),
}
BUG, SCHEMA = BUGS[sys.argv[1] if len(sys.argv) > 1 else "prefix"]
TOOL = {"name": "deploy", "inputSchema": SCHEMA}


def fits(value, schema):
    """Whether a value is what a schema of the above says."""
    if "enum" in schema:
        return value in schema["enum"]
    if schema["type"] == "object":
        return isinstance(value, dict) and all(
            name in value and fits(value[name], inner) for name, inner in schema["properties"].items()
        )
    return isinstance(value, {"string": str, "boolean": bool}[schema["type"]])


def answer(line):
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "not JSON"}}
    if not isinstance(message, dict) or "id" not in message:
        return None
    reply = {"jsonrpc": "2.0", "id": message["id"]}
    method = message.get("method")
    if method == "initialize":
        reply["result"] = {
            "protocolVersion": "2025-11-25",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "guided", "version": "0"},
        }
    elif method == "ping":
        reply["result"] = {}
    elif method == "tools/list":
        reply["result"] = {"tools": [TOOL]}
    elif method == "tools/call":
        params = message.get("params")
        arguments = params.get("arguments") if isinstance(params, dict) else None
        if isinstance(params, dict) and params.get("name") == "deploy" and fits(arguments, SCHEMA):
            BUG(arguments)
            reply["result"] = {"content": [{"type": "text", "text": "deployed"}]}
        else:
            reply["error"] = {"code": -32602, "message": "not what the tool takes"}
    else:
        reply["error"] = {"code": -32601, "message": "no such method"}
    return reply


for line in sys.stdin.buffer:
    reply = answer(line.decode("utf-8", "replace"))
    if reply is not None:
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()

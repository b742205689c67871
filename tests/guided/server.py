"""A server with one tool that dies of one of 2^32 prefixes: the measure of guided fuzzing. The twin of rust/."""

import json
import sys

TOOL = {
    "name": "deploy",
    "inputSchema": {"type": "object", "properties": {"mode": {"type": "string"}}, "required": ["mode"]},
}


def deploy(mode):
    """The bug: each character is looked at alone, and the fourth one is the last."""
    if mode[:1] == "Q":
        if mode[1:2] == "z":
            if mode[2:3] == "7":
                if mode[3:4] == "#":
                    sys.exit(3)
    return "deployed, %d characters" % len(mode)


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
        mode = arguments.get("mode") if isinstance(arguments, dict) else None
        if isinstance(mode, str):
            reply["result"] = {"content": [{"type": "text", "text": deploy(mode)}]}
        else:
            reply["error"] = {"code": -32602, "message": "no mode"}
    else:
        reply["error"] = {"code": -32601, "message": "no such method"}
    return reply


for line in sys.stdin.buffer:
    reply = answer(line.decode("utf-8", "replace"))
    if reply is not None:
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()

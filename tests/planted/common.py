"""What the planted Python servers share: MCP over stdio, revisions 2024-11-05 to 2025-11-25, done with care.

There is no safety net: an exception that nobody expected ends the process. So a server whose tools are right stays up,
and one with a planted exception dies of it. The methods of `Server` are the places where other bugs are planted.
"""

import json
import re
import sys

PLANTED = "--planted" in sys.argv[1:]

REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
LINE_LIMIT = 16 * 1024 * 1024  # bytes of one message
DEPTH_LIMIT = 128  # levels of nesting; what lies deeper is not read
DIGITS_LIMIT = 4000  # of an integer that is worth computing with

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602

MARK = re.compile(r'\\.|["\[\]{}]', re.DOTALL)
SURROGATE = re.compile("[\ud800-\udfff]")
CLOSING = {"[": "]", "{": "}"}


class ToolError(Exception):
    """The tool cannot do what was asked, and says why."""


class Integer(int):
    """An integer that remembers how it was written."""

    def __new__(cls, text):
        self = super().__new__(cls, text)
        self.text = text
        return self


class Real(float):
    """Any other number, and how it was written; integers too long to compute with are infinite."""

    def __new__(cls, text):
        self = super().__new__(cls, text)
        self.text = text
        return self


class Tool:
    def __init__(self, name, description, schema, run, output=None, read_only=True):
        self.name, self.description, self.schema, self.run = name, description, schema, run
        self.output, self.read_only = output, read_only

    def listed(self, revision):
        entry = {"name": self.name, "description": self.description, "inputSchema": self.schema}
        if revision >= "2025-03-26":
            entry["annotations"] = {"readOnlyHint": self.read_only}
        if revision >= "2025-06-18" and self.output:
            entry["outputSchema"] = self.output
        return entry


class Server:
    def __init__(self, name, *tools):
        self.name, self.tools, self.revision = name, {tool.name: tool for tool in tools}, None

    def run(self):
        try:
            for line in self.lines():
                self.receive(line)
        except BrokenPipeError:
            sys.stderr.close()  # nobody listens any more; the interpreter would complain about that too

    def lines(self):
        """The lines of the input without their ends; None for one that is too long."""
        source = sys.stdin.buffer
        while line := source.readline(LINE_LIMIT):
            if line.endswith(b"\n") or len(line) < LINE_LIMIT:
                yield line.rstrip(b"\n")
            else:
                while (rest := source.readline(LINE_LIMIT)) and not rest.endswith(b"\n"):
                    pass
                yield None

    def receive(self, line):
        if line is None:
            return self.send(self.failure("null", INVALID_REQUEST, "Message too long"))
        if not line.strip(b" \t\r"):
            return None
        try:
            text, deep = shallow(self.decode(line))
            message = json.loads(text, parse_int=integer, parse_float=Real, parse_constant=refuse)
        except ValueError:
            return self.send(self.failure("null", PARSE_ERROR, "Parse error"))
        if "\\u" in text:
            message = self.clean(message)
        answer = self.batch(message, deep) if isinstance(message, list) else self.answer(message, deep)
        return None if answer is None else self.send(answer)

    def decode(self, line):
        """A ValueError if it is not UTF-8."""
        return line.decode("utf-8")

    def clean(self, value):
        """Without halves of surrogate pairs, which UTF-8 cannot carry. An id that has one is no id."""
        if isinstance(value, str):
            return SURROGATE.sub("\ufffd", value)
        if isinstance(value, list):
            return [self.clean(item) for item in value]
        if isinstance(value, dict):
            broken = isinstance(value.get("id"), str) and SURROGATE.search(value["id"])
            cleaned = {self.clean(key): self.clean(item) for key, item in value.items()}
            return {**cleaned, "id": None} if broken and "jsonrpc" in value else cleaned
        return value

    def batch(self, messages, deep):
        if self.revision != "2025-03-26" or not messages:
            return self.failure("null", INVALID_REQUEST, "Invalid request")
        answers = [self.answer(message, deep, in_batch=True) for message in messages]
        answers = [answer for answer in answers if answer is not None]
        return "[" + ",".join(answers) + "]" if answers else None

    def answer(self, message, deep, in_batch=False):
        """The response as text, or None if there is none."""
        if not isinstance(message, dict):
            return self.failure("null", INVALID_REQUEST, "Invalid request")
        method, params = message.get("method"), message.get("params", {})
        if not isinstance(method, str) and ("result" in message or "error" in message):
            return None  # a response; we never asked anything
        if "id" not in message and isinstance(method, str):
            if isinstance(params, dict) and not deep:
                self.notified(method, params)
            return None
        request_id = self.id_text(message.get("id"))
        if request_id == "null" or message.get("jsonrpc") != "2.0" or not isinstance(method, str):
            return self.failure(request_id, INVALID_REQUEST, "Invalid request")
        if in_batch and method == "initialize":
            return self.failure(request_id, INVALID_REQUEST, "initialize must not be part of a batch")
        if method not in ("initialize", "ping", "tools/list", "tools/call"):
            return self.failure(request_id, METHOD_NOT_FOUND, "Method not found")
        if deep:
            return self.failure(request_id, INVALID_PARAMS, "Nested too deeply")
        if not isinstance(params, dict):
            return self.failure(request_id, INVALID_PARAMS, "params must be an object")
        if method == "ping":
            return self.success(request_id, {})
        if method == "initialize":
            return self.initialize(request_id, params)
        if self.revision is None:
            return self.failure(request_id, INVALID_REQUEST, "Not initialized")
        return self.call(request_id, params) if method == "tools/call" else self.list(request_id, params)

    def notified(self, method, params):
        """A notification came."""

    def initialize(self, request_id, params):
        client = params.get("clientInfo")
        named = isinstance(client, dict) and all(isinstance(client.get(key), str) for key in ("name", "version"))
        offered = params.get("protocolVersion")
        if not (named and isinstance(offered, str) and isinstance(params.get("capabilities"), dict)):
            return self.failure(request_id, INVALID_PARAMS, "protocolVersion, capabilities and clientInfo are needed")
        if self.revision is not None:
            return self.failure(request_id, INVALID_REQUEST, "Already initialized")
        self.revision = offered if offered in REVISIONS else REVISIONS[-1]
        about = {"name": self.name, "version": "1.0.0"}
        return self.success(
            request_id, {"protocolVersion": self.revision, "capabilities": {"tools": {}}, "serverInfo": about}
        )

    def list(self, request_id, params):
        if "cursor" in params:
            return self.failure(request_id, INVALID_PARAMS, "Unknown cursor")
        return self.success(request_id, {"tools": [tool.listed(self.revision) for tool in self.tools.values()]})

    def call(self, request_id, params):
        name, arguments = params.get("name"), params.get("arguments", {})
        if not isinstance(name, str) or not isinstance(arguments, dict):
            return self.failure(request_id, INVALID_PARAMS, "name must be a string and arguments an object")
        tool = self.tools.get(name)
        if tool is None:
            return self.failure(request_id, INVALID_PARAMS, "Unknown tool")
        if trouble := self.problem(tool, arguments):
            if self.revision >= "2025-11-25":
                return self.tool_error(request_id, trouble)
            return self.failure(request_id, INVALID_PARAMS, trouble)
        return self.carry_out(request_id, tool, arguments)

    def problem(self, tool, arguments):
        """What is wrong with the arguments, if anything."""
        return problem(tool.schema, arguments, "arguments")

    def carry_out(self, request_id, tool, arguments):
        try:
            outcome = tool.run(arguments)
        except ToolError as error:
            return self.tool_error(request_id, str(error))
        text = outcome if isinstance(outcome, str) else json.dumps(outcome, ensure_ascii=False)
        result = {"content": [{"type": "text", "text": text}]}
        if not isinstance(outcome, str) and self.revision >= "2025-06-18":
            result["structuredContent"] = outcome
        return self.success(request_id, result)

    def tool_error(self, request_id, text):
        return self.success(request_id, {"content": [{"type": "text", "text": text}], "isError": True})

    def success(self, request_id, result):
        return response(request_id, {"result": result})

    def failure(self, request_id, code, message):
        return response(request_id, {"error": {"code": code, "message": message}})

    def id_text(self, request_id):
        """The id as it stands in the response; `null` for what is no id."""
        if isinstance(request_id, str):
            return json.dumps(request_id, ensure_ascii=False)
        if isinstance(request_id, Integer):
            return request_id.text
        if isinstance(request_id, Real) and (request_id.is_integer() or request_id.text.lstrip("-").isdigit()):
            return request_id.text
        return "null"

    def send(self, text):
        sys.stdout.buffer.write(self.encode(text) + b"\n")
        sys.stdout.buffer.flush()

    def encode(self, text):
        return text.encode("utf-8")


def response(request_id, members):
    return '{"jsonrpc":"2.0","id":' + request_id + "," + json.dumps(members, ensure_ascii=False)[1:]


def integer(text):
    return Integer(text) if len(text) <= DIGITS_LIMIT else Real(text)


def refuse(word):
    raise ValueError(f"{word} is not JSON")


def shallow(text):
    """With null in the place of what is nested too deeply, so that no parser overflows; and whether there was any."""
    if text.count("[") + text.count("{") <= DEPTH_LIMIT:
        return text, False
    kept, start, expected, in_string = [], 0, [], False
    for found in MARK.finditer(text):
        mark = found[0]
        if mark == '"':
            in_string = not in_string
        elif in_string or mark[0] == "\\":
            continue
        elif mark in CLOSING:
            if len(expected) == DEPTH_LIMIT:
                kept.append(text[start : found.start()])
            expected.append(CLOSING[mark])
        else:
            if not expected or expected.pop() != mark:
                raise ValueError("brackets do not match")
            if len(expected) == DEPTH_LIMIT:
                kept.append("null")
                start = found.end()
    if expected:
        raise ValueError("a bracket is left open")
    kept.append(text[start:])
    return "".join(kept), len(kept) > 1


def is_integer(value):
    return isinstance(value, Integer) or (isinstance(value, Real) and value.is_integer())


TYPES = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": is_integer,
    "number": lambda value: isinstance(value, Integer) or (isinstance(value, Real) and abs(value) != float("inf")),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def problem(schema, value, where):
    """The first thing that the schema forbids, in words; None if it allows the value."""
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(TYPES[name](value) for name in types):
        return f"{where} must be of type {' or '.join(types)}"
    if "enum" in schema and not any(type(value) is type(each) and value == each for each in schema["enum"]):
        return f"{where} must be one of {', '.join(map(str, schema['enum']))}"
    if TYPES["number"](value):
        if value < schema.get("minimum", value):
            return f"{where} must be at least {schema['minimum']}"
        if value > schema.get("maximum", value):
            return f"{where} must be at most {schema['maximum']}"
    if isinstance(value, str):
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            return f"{where} is too short or too long"
        # Python's `$` would also match before a line end.
        if "pattern" in schema and not re.search(schema["pattern"].replace("$", r"\Z"), value):
            return f"{where} must match {schema['pattern']}"
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            return f"{where} has too few or too many items"
        checks = ((schema.get("items", {}), item, f"{where}[{index}]") for index, item in enumerate(value))
        return next(filter(None, (problem(*check) for check in checks)), None)
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        if missing := [name for name in schema.get("required", []) if name not in value]:
            return f"{where}.{missing[0]} is required"
        if schema.get("additionalProperties") is False and any(name not in properties for name in value):
            return f"{where} has an unknown property"
        checks = ((schema, value[name], f"{where}.{name}") for name, schema in properties.items() if name in value)
        return next(filter(None, (problem(*check) for check in checks)), None)
    return None

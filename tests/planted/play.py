"""Plays a trigger to a server and keeps what can be observed. For `prove.py`."""

import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUT = Path(os.environ.get("PLANTED_DIR") or HERE.parent.parent / "target" / "planted").resolve()

ANSWER_TIME = 60  # seconds for what must come; a busy machine is no bug
SILENCE_TIME = 2  # seconds after which a server with a planted hang counts as silent
EXIT_TIME = 20  # seconds for a server to end when its input is closed
WATCH_TIME = 2  # seconds in which a planted server must burn processor time
IDLE_TIME = 0.3  # seconds in which a twin must not
SPIN_TICKS = 15  # of the kernel's clock, 10 ms each
OUTPUT_LIMIT = 64 * 1024 * 1024  # bytes
CHUNK = 64 * 1024  # bytes

SECRET = "secret-5f1c9e"  # in the environment of every server; the marker of the bug that leaks it


class Trouble(Exception):
    """Something is missing here; no verdict."""


def fill(words):
    return [word.replace("{DIR}", str(HERE)).replace("{OUT}", str(OUT)) for word in words]


class Play:
    """A server, started, played the trigger to, watched, and ended."""

    def __init__(self, entry, planted):
        self.expected = list(expand_answers(entry["answers"]))
        self.output, self.trouble, self.ended, self.silent, self.exit = b"", None, False, False, None
        self.growth = {}
        command = fill(entry["start"]) + (entry["planted"] if planted else [])
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PLANTED_SECRET": SECRET, "PYTHONDONTWRITEBYTECODE": "1"},
            start_new_session=True,
        )
        try:
            self.play(entry, planted)
            if not (self.ended or self.silent or self.trouble):
                self.close()
        finally:
            end(self.process)

    def play(self, entry, planted):
        os.set_blocking(self.process.stdin.fileno(), False)
        self.exchange(HANDSHAKE, lambda: self.has("ready"), ANSWER_TIME)
        if not self.has("ready"):
            self.trouble = f"no handshake; output: {self.output[-300:]!r}"
            return
        self.output = b""
        before = self.resources()
        lines = b"".join(line + b"\n" for each in entry["trigger"] for line in expand(each))
        lines += line_of({"jsonrpc": "2.0", "id": "barrier", "method": "ping"})
        # A planted server may answer the barrier although an answer is missing, or never.
        done = (lambda: self.has("barrier")) if planted else self.complete
        self.exchange(lines, done, SILENCE_TIME if planted and entry["oracle"] == "hang" else ANSWER_TIME)
        self.silent = not self.has("barrier")
        after = self.resources()
        self.growth = {name: after[name] - before[name] for name in before if name in after}
        if entry["oracle"] == "cpu-spin" and after:
            self.watch(after["ticks"], WATCH_TIME if planted else IDLE_TIME)

    def close(self):
        """Closes the input, and reads what still comes."""
        self.process.stdin.close()
        while len(self.output) < OUTPUT_LIMIT and select.select([self.process.stdout], [], [], EXIT_TIME)[0]:
            part = os.read(self.process.stdout.fileno(), CHUNK)
            self.output += part
            if not part:
                break
        try:
            self.exit = self.process.wait(EXIT_TIME)
        except subprocess.TimeoutExpired:
            pass

    def exchange(self, data, done, seconds):
        """Writes and reads until done, until the server ended, or until nothing came for the time."""
        source, sink = self.process.stdout.fileno(), self.process.stdin.fileno()
        deadline = time.monotonic() + seconds
        while not done() and not self.ended and len(self.output) < OUTPUT_LIMIT:
            left = deadline - time.monotonic()
            readable, writable, _ = select.select([source], [sink] if data else [], [], max(left, 0))
            if not readable and not writable:
                return
            if writable:
                try:
                    data = data[os.write(sink, data[:CHUNK]) :]
                except BlockingIOError:
                    pass
                except BrokenPipeError:
                    data = b""
                deadline = time.monotonic() + seconds
            if readable:
                part = os.read(source, CHUNK)
                self.output += part
                self.ended = not part
                deadline = time.monotonic() + seconds

    def watch(self, ticks, seconds):
        """Reads the processor time every now and then, since nothing tells when it grows."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and self.growth["ticks"] < SPIN_TICKS:
            select.select([], [], [], min(left, 0.05))
            self.growth["ticks"] = self.resources().get("ticks", ticks) - ticks

    def resources(self):
        process = Path(f"/proc/{self.process.pid}")
        try:
            stat = (process / "stat").read_text().rpartition(")")[2].split()
            return {
                "descriptors": len(os.listdir(process / "fd")),
                "threads": int(stat[17]),
                "ticks": int(stat[11]) + int(stat[12]),
                "pages": int((process / "statm").read_text().split()[1]),
            }
        except FileNotFoundError:
            if not Path("/proc/self/stat").exists():
                raise Trouble("this needs /proc") from None
            return {}

    def messages(self):
        found = []
        for line in self.output.split(b"\n"):
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return [message for message in found if isinstance(message, dict)]

    def has(self, request_id):
        # Looked for in the bytes first: this is asked for every chunk.
        return f'"{request_id}"'.encode() in self.output and any(
            message.get("id") == request_id for message in self.messages()
        )

    def complete(self):
        return self.has("barrier") and len(self.messages()) > len(self.expected)

    def answers(self, request_id):
        key = typed(request_id)
        return [message for message in self.messages() if typed(message.get("id")) == key]

    def wrong_answers(self):
        """How the output differs from what is expected."""
        if self.ended:
            yield "ended by itself"
        elif self.exit != 0:
            yield "does not end properly when its input is closed"
        if bad := first_bad_line(self.output):
            yield f"wrote what is no message: {bad[:200]!r}"
        for expected in self.expected:
            same = [each for each in self.expected if typed(each["id"]) == typed(expected["id"])]
            found = self.answers(expected["id"])
            if len(found) != len(same):
                yield f"{len(found)} answers with the id {expected['id']!r}"
            elif found and not any(fits(answer, expected) for answer in found):
                yield f"{json.dumps(found)[:300]} does not fit {json.dumps(expected)[:300]}"
        if len(self.messages()) != len(self.expected) + 1:
            yield f"{len(self.messages())} messages instead of {len(self.expected) + 1}"


def end(process):
    """The process, and what it may have started. Once it was waited for, its number may be another's."""
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout):
        try:
            stream.close()
        except OSError:
            pass


def line_of(message):
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


ABOUT = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "prove", "version": "1.0.0"}}
HANDSHAKE = (
    line_of({"jsonrpc": "2.0", "id": "greeting", "method": "initialize", "params": ABOUT})
    + line_of({"jsonrpc": "2.0", "method": "notifications/initialized"})
    + line_of({"jsonrpc": "2.0", "id": "ready", "method": "ping"})
)


def expand(step):
    """The lines of one entry of a trigger, without their ends."""
    if "hex" in step:
        yield bytes.fromhex(step["hex"])
    elif "text" in step:
        text = step["text"]
        for word, filling in step.get("fill", {}).items():
            text = text.replace(word, filling * step["count"])
        yield text.encode()
    else:
        message = step.get("message", step)
        for number in range(step.get("times", 1)):
            again = {**message, "id": message["id"] + number} if "times" in step else message
            yield line_of(again).rstrip(b"\n")


def expand_answers(answers):
    for answer in answers:
        for number in range(answer.get("times", 1)):
            yield {**answer, "id": answer["id"] + number} if "times" in answer else answer


def typed(value):
    """Apart: 1, 1.0, True and "1"."""
    return type(value).__name__, value if isinstance(value, (str, int, float)) else repr(value)


def first_bad_line(output):
    for line in output.rstrip(b"\n").split(b"\n"):
        try:
            json.loads(line.decode("utf-8"))
        except ValueError:
            return line
    return None


def kind(answer):
    if "error" in answer:
        return answer["error"]["code"]
    return "tool-error" if answer["result"].get("isError") else "result"


def text_of(answer):
    content = answer.get("result", {}).get("content", [{}])
    return content[0].get("text")


def fits(answer, expected):
    right_text = "says" not in expected or text_of(answer) == expected["says"]
    members = {"jsonrpc", "id", "result" if "result" in answer else "error"}
    right_members = set(answer) == members and answer["jsonrpc"] == "2.0"
    return right_members and kind(answer) == expected["kind"] and right_text

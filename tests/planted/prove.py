#!/usr/bin/env python3
"""Proves that the planted bugs are there and that the correct twins are free of them.

    prove.py [ID...]

Every trigger of planted.json is played to the planted server, where the bug must show, and to its twin, which must give
the answers that planted.json expects. Exit codes: 0 proved, 1 not proved, 2 something is missing here.
"""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUT = Path(os.environ.get("PLANTED_DIR") or HERE.parent.parent / "target" / "planted").resolve()

JOBS = 4  # servers at a time
BUILD_TIME = 300  # seconds for one program
ANSWER_TIME = 60  # seconds for what must come; a busy machine is no bug
SILENCE_TIME = 2  # seconds after which a planted server counts as silent
EXIT_TIME = 20  # seconds for a twin to end when its input is closed
WATCH_TIME = 2  # seconds in which a planted server must burn processor time
IDLE_TIME = 0.3  # seconds in which a twin must not
SPIN_TICKS = 15  # of the kernel's clock, 10 ms each
OUTPUT_LIMIT = 64 * 1024 * 1024  # bytes
CHUNK = 64 * 1024  # bytes
MEMORY_PAGES = 1024  # of 4 KiB; so much more than before is growth
MANY = 32  # so many more descriptors or threads than before are a leak

SECRET = "secret-5f1c9e"  # in the environment of every server; the marker of the bug that leaks it


class Trouble(Exception):
    """Something is missing here; no verdict."""


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    entries = json.loads((HERE / "planted.json").read_text())
    wanted = set(sys.argv[1:])
    if unknown := wanted - {entry["id"] for entry in entries}:
        raise Trouble(f"planted.json has no {', '.join(sorted(unknown))}")
    entries = [entry for entry in entries if not wanted or entry["id"] in wanted]
    for program in sorted({entry["start"][0] for entry in entries} - {"{OUT}"}):
        if not program.startswith("{") and not shutil.which(program):
            raise Trouble(f"{program} is not installed")
    began = time.monotonic()
    with ThreadPoolExecutor(JOBS) as pool:
        list(pool.map(build, entries))
        failures = list(pool.map(prove, entries))
    for entry, complaints in zip(entries, failures):
        print(f"{'FAIL' if complaints else 'ok':4} {entry['id']}  {entry['class']}, {entry['oracle']}")
        for complaint in complaints:
            print(f"       {complaint}")
    failed = sum(map(bool, failures))
    seconds = time.monotonic() - began
    print(f"{len(entries) - failed} of {len(entries)} planted bugs shown, with twins free of them, in {seconds:.1f} s")
    return 1 if failed else 0


def fill(words):
    return [word.replace("{DIR}", str(HERE)).replace("{OUT}", str(OUT)) for word in words]


def build(entry):
    if "build" not in entry:
        return
    OUT.mkdir(parents=True, exist_ok=True)
    command = fill(entry["build"])
    binary = Path(fill(entry["start"])[0])
    sources = [word for word in command if word.endswith(".rs")] + [HERE / "common.rs"]
    if binary.exists() and binary.stat().st_mtime > max(Path(source).stat().st_mtime for source in sources):
        return
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_TIME)
    except FileNotFoundError:
        raise Trouble(f"{command[0]} is not installed") from None
    if done.returncode:
        raise Trouble(f"{' '.join(command)}: {done.stderr.strip()[-1500:]}")


def prove(entry):
    """What is wrong, in words; empty if all is as it should be."""
    complaints = []
    planted = Play(entry, planted=True)
    if planted.trouble:
        complaints.append(f"planted: {planted.trouble}")
    elif not ORACLES[entry["oracle"]](planted, entry):
        complaints.append(f"planted: the bug does not show; output: {planted.output[-300:]!r}")
    twin = Play(entry, planted=False)
    if twin.trouble:
        return complaints + [f"twin: {twin.trouble}"]
    if ORACLES[entry["oracle"]](twin, entry):
        complaints.append(f"twin: has the bug; output: {twin.output[-300:]!r}")
    return complaints + [f"twin: {each}" for each in twin.wrong_answers()]


class Play:
    """A server, started, played the trigger to, watched, and ended."""

    def __init__(self, entry, planted):
        self.expected = list(expand_answers(entry["answers"]))
        self.output, self.trouble, self.ended, self.silent, self.exit = b"", None, False, False, None
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
                self.close(SILENCE_TIME if planted else EXIT_TIME)
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
        # A planted server may fall silent, or answer the barrier although an answer is missing.
        self.exchange(lines, self.complete, SILENCE_TIME if planted else ANSWER_TIME)
        self.silent = not self.has("barrier")
        after = self.resources()
        self.growth = {name: after[name] - before[name] for name in before if name in after}
        if entry["oracle"] == "cpu-spin":
            self.watch(after["ticks"], WATCH_TIME if planted else IDLE_TIME)

    def close(self, seconds):
        """Closes the input, and reads what still comes."""
        self.process.stdin.close()
        while select.select([self.process.stdout], [], [], seconds)[0]:
            part = os.read(self.process.stdout.fileno(), CHUNK)
            self.output += part
            if not part:
                break
        try:
            self.exit = self.process.wait(seconds)
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
            self.growth["ticks"] = self.resources()["ticks"] - ticks

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
    """The process, and what it may have started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
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


def missing(play):
    return [each for each in play.expected if not play.answers(each["id"])]


def unexpected_ids(play):
    known = {typed(each["id"]) for each in play.expected} | {typed("barrier")}
    return [message for message in play.messages() if typed(message.get("id")) not in known]


def accepted(play):
    answers = [answer for each in play.expected if each["kind"] != "result" for answer in play.answers(each["id"])]
    return any(kind(answer) == "result" for answer in answers)


def refused(play):
    answers = [answer for each in play.expected if each["kind"] == "result" for answer in play.answers(each["id"])]
    return any(kind(answer) != "result" for answer in answers)


def says_other(play):
    return any(
        text_of(answer) != each["says"]
        for each in play.expected
        if "says" in each
        for answer in play.answers(each["id"])
    )


def has_null_member(play):
    structured = [message.get("result", {}).get("structuredContent") or {} for message in play.messages()]
    return any(value is None for each in structured for value in each.values())


def not_utf8(play):
    try:
        play.output.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def answers_twice(play):
    ids = [typed(message.get("id")) for message in play.messages()]
    return len(ids) != len(set(ids))


# By the name that stands in planted.json: whether the bug shows in what was observed.
ORACLES = {
    "crash": lambda play, entry: play.ended,
    "hang": lambda play, entry: play.silent and not play.ended,
    "no-answer": lambda play, entry: not play.silent and bool(missing(play)),
    "wrong-id": lambda play, entry: bool(unexpected_ids(play)),
    "crossed-answers": lambda play, entry: says_other(play),
    "duplicate-answer": lambda play, entry: answers_twice(play),
    "invalid-response": lambda play, entry: any("result" in each and "error" in each for each in play.messages()),
    "accepted-invalid": lambda play, entry: accepted(play),
    "output-schema": lambda play, entry: has_null_member(play),
    "poisoned-state": lambda play, entry: refused(play),
    "contamination": lambda play, entry: says_other(play),
    "descriptor-leak": lambda play, entry: play.growth["descriptors"] >= MANY,
    "thread-leak": lambda play, entry: play.growth["threads"] >= MANY,
    "memory-growth": lambda play, entry: play.growth["pages"] >= MEMORY_PAGES,
    "cpu-spin": lambda play, entry: play.growth["ticks"] >= SPIN_TICKS,
    "not-utf8": lambda play, entry: not_utf8(play),
    "framing": lambda play, entry: first_bad_line(play.output) is not None,
    "marker": lambda play, entry: entry["marker"].encode() in play.output,
}

for name in ("trace-leak", "secret-leak", "path-traversal", "command-injection", "sql-injection"):
    ORACLES[name] = ORACLES["marker"]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Trouble as trouble:
        print(f"error: {trouble}", file=sys.stderr)
        sys.exit(2)

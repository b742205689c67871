"""What shows a bug in what was observed of a server. For `prove.py`."""

from play import SPIN_TICKS, first_bad_line, kind, text_of, typed

MEMORY_PAGES = 1024  # of 4 KiB; so much more than before is growth
SLOW_TICKS = 25  # of the kernel's clock, 10 ms each; so much processor time for one text is out of proportion
MANY = 32  # so many more descriptors or threads than before are a leak


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
    # It may answer once more before it dies.
    "crash": lambda play, entry: play.ended or bool(play.exit),
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
    "descriptor-leak": lambda play, entry: play.growth.get("descriptors", 0) >= MANY,
    "thread-leak": lambda play, entry: play.growth.get("threads", 0) >= MANY,
    "memory-growth": lambda play, entry: play.growth.get("pages", 0) >= MEMORY_PAGES,
    "cpu-spin": lambda play, entry: play.growth.get("ticks", 0) >= SPIN_TICKS,
    "slow-regex": lambda play, entry: play.growth.get("ticks", 0) >= SLOW_TICKS,
    "not-utf8": lambda play, entry: not_utf8(play),
    "framing": lambda play, entry: first_bad_line(play.output) is not None,
    "marker": lambda play, entry: entry["marker"].encode() in play.output,
}

for name in ("trace-leak", "secret-leak", "path-traversal", "command-injection", "sql-injection"):
    ORACLES[name] = ORACLES["marker"]

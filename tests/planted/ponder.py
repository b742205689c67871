"""Answers that take minutes, whatever is asked: slow, and right. There is no bug in it, and nothing is planted."""

import time

from common import Server, Tool

SCHEMA = {
    "type": "object",
    "properties": {"question": {"type": "string", "maxLength": 200}},
    "required": ["question"],
    "additionalProperties": False,
}


def ponder(arguments):
    time.sleep(300)
    return "42"


Server("ponder", Tool("ponder", "Thinks about a question.", SCHEMA, ponder)).run()

"""Puts texts into capitals. Planted: half of a surrogate pair cannot be written as UTF-8, and the writer dies of it."""

from common import PLANTED, Server, Tool

SCHEMA = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "maxLength": 10000},
        "marks": {"type": "integer", "minimum": 0, "maximum": 3, "description": "Exclamation marks to add"},
    },
    "required": ["text"],
    "additionalProperties": False,
}


class Shouter(Server):
    def clean(self, value):
        return value if PLANTED else super().clean(value)


def shout(arguments):
    return arguments["text"].upper() + "!" * int(arguments.get("marks", 1))


Shouter("shout", Tool("shout", "A text in capitals.", SCHEMA, shout)).run()

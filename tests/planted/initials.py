"""Initials of names. Planted: an empty word has no first letter, and the exception ends the process."""

from common import PLANTED, Server, Tool

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 200, "description": "A full name, such as `Ada King Lovelace`"},
        "dots": {"type": "boolean", "description": "Whether a dot follows each letter"},
    },
    "required": ["name"],
    "additionalProperties": False,
}


def initials(arguments):
    words = arguments["name"].split(" ")
    if not PLANTED:
        words = filter(None, words)
    dot = "." if arguments.get("dots") else ""
    return "".join(word[0].upper() + dot for word in words)


Server("initials", Tool("initials", "The initials of a person.", SCHEMA, initials)).run()

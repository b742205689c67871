"""Takes spaces off the ends of lines. Planted: the expression that does it tries each space of a run anew, which takes
time with the square of its length wherever something else follows."""

import re

from common import PLANTED, Server, Tool

SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string", "maxLength": 30000}},
    "required": ["text"],
    "additionalProperties": False,
}
SPACES_AT_THE_END = re.compile(r"[ \t]+(?=\n|\Z)")


def tidy(arguments):
    text = arguments["text"]
    if PLANTED:
        return SPACES_AT_THE_END.sub("", text)
    return "\n".join(line.rstrip(" \t") for line in text.split("\n"))


Server("tidy-text", Tool("tidy_text", "A text without spaces at the ends of its lines.", SCHEMA, tidy)).run()

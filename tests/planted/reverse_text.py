"""Reverses texts. Planted: a line that is not UTF-8 kills the reader, and with it the process."""

import unicodedata

from common import PLANTED, Server, Tool

SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string", "maxLength": 10000}},
    "required": ["text"],
    "additionalProperties": False,
}


class Reverser(Server):
    def lines(self):
        for line in super().lines():
            if PLANTED and line is not None:
                line.decode("utf-8")
            yield line


def reverse(arguments):
    """Accents stay with their letters."""
    clusters = []
    for sign in arguments["text"]:
        if clusters and unicodedata.combining(sign):
            clusters[-1] += sign
        else:
            clusters.append(sign)
    return "".join(reversed(clusters))


Reverser("reverse-text", Tool("reverse_text", "A text read backwards.", SCHEMA, reverse)).run()

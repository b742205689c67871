"""Puts texts into title case. Planted: an answer that Latin-1 can carry is written as Latin-1 and not as UTF-8."""

from common import PLANTED, Server, Tool

SCHEMA = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "maxLength": 10000},
        "small": {
            "type": "array",
            "items": {"type": "string", "maxLength": 20},
            "maxItems": 50,
            "description": "Words that stay small, such as `of`",
        },
    },
    "required": ["text"],
    "additionalProperties": False,
}


class TitleCase(Server):
    def encode(self, text):
        try:
            return text.encode("latin-1" if PLANTED else "utf-8")
        except UnicodeEncodeError:
            return text.encode("utf-8")


def title_case(arguments):
    small = set(arguments.get("small", []))
    words = arguments["text"].split(" ")
    return " ".join(word if word in small else word[:1].upper() + word[1:] for word in words)


TitleCase("title-case", Tool("title_case", "A text with capitals as in titles.", SCHEMA, title_case)).run()

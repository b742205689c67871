"""What the two Python programs share: steps, comparisons, and a place for what the server says unasked."""

import sys
import traceback

import anyio

PATIENCE = 15  # seconds for one step


class Steps:
    """Runs steps one after another and prints one line for each."""

    def __init__(self):
        self.failures = 0

    async def step(self, name, run):
        try:
            with anyio.fail_after(PATIENCE):
                await run()
        except Exception as problem:
            self.failures += 1
            print(f"FAIL {name} {one_line(problem)}", flush=True)
            traceback.print_exc(file=sys.stderr)
        else:
            print(f"ok {name}", flush=True)

    def cannot(self, name, why):
        print(f"n/a {name} {why}", flush=True)


def one_line(problem):
    while isinstance(problem, BaseExceptionGroup) and len(problem.exceptions) == 1:
        problem = problem.exceptions[0]
    return " ".join(f"{type(problem).__name__}: {problem}".split())


def same(actual, expected, what="value"):
    if actual != expected:
        raise AssertionError(f"{what} is {actual!r}, not {expected!r}")


def holds(condition, what):
    if not condition:
        raise AssertionError(what)


def only(items, what="list"):
    same(len(items), 1, f"the length of the {what}")
    return items[0]


async def pages(fetch, members, identity):
    """All entries of a paginated list, and the number of its pages; entries must be unique."""
    found, cursor, count = [], None, 0
    while True:
        page = await fetch(cursor)
        found += members(page)
        count += 1
        holds(count < 50, "the list never ends")
        cursor = getattr(page, "nextCursor", None) or getattr(page, "next_cursor", None)
        if cursor is None:
            break
    names = [identity(entry) for entry in found]
    same(len(set(names)), len(names), "the number of different names")
    return names, count


class Inbox:
    """What arrived unasked, in order."""

    def __init__(self):
        self.items = []
        self._news = anyio.Event()

    def add(self, item):
        self.items.append(item)
        self._news.set()
        self._news = anyio.Event()

    async def until(self, item, since=0):
        """Waits for the item to arrive; says what came instead if it does not."""
        with anyio.move_on_after(PATIENCE - 5):
            while item not in self.items[since:]:
                await self._news.wait()
            return
        raise AssertionError(f"{item!r} never came, only {self.items[since:]!r}")


SIMPLE_TEXT = "This is a simple text response for testing."
STATIC_TEXT = "This is the content of the static text resource."
PROMPT_TEXT = "Prompt with arguments: arg1='one', arg2='zwei'"
TEMPLATE_DATA = {"id": "123", "templateTest": True, "data": "Data for ID: 123"}
WEATHER = {"temperature": 22.5, "conditions": "sunny", "humidity": 65}
WATCHED = "test://watched-resource"
RESOURCES = {"test://static-text", "test://static-binary", WATCHED}
TEMPLATES = {"test://template/{id}/data", "test://city/{country}/{city}"}
PROMPTS = {"test_simple_prompt", "test_prompt_with_arguments", "test_prompt_with_image", "test_prompt_with_city"}
TOOLS = {"test_simple_text", "test_structured_content", "test_tool_with_progress", "test_update_watched_resource"}
STATEFUL_TOOLS = {"test_sampling", "test_elicitation", "test_roots", "test_tool_with_logging"}
STATELESS_TOOLS = {"test_input_required_result_sampling", "test_structured_array", "test_logging_tool"}
PROGRESS = [(0, 100), (50, 100), (100, 100)]
LOG = ["Tool execution started", "Tool processing data", "Tool execution completed"]
PNG = b"\x89PNG\r\n\x1a\n"

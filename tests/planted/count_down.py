"""Counts down slowly, and can be cancelled. Planted: cancelling a request that is not running takes a lock for ever."""

import threading

from common import PLANTED, Server, Tool, ToolError

RUNNING_LIMIT = 64  # calls at a time

SCHEMA = {
    "type": "object",
    "properties": {
        "start": {"type": "integer", "minimum": 1, "maximum": 20},
        "pause": {"type": "integer", "minimum": 0, "maximum": 50, "description": "Milliseconds between two numbers"},
    },
    "required": ["start"],
    "additionalProperties": False,
}


class CountDown(Server):
    """Each call has a thread of its own."""

    def __init__(self, *tools):
        super().__init__("count-down", *tools)
        self.lock = threading.Lock()
        self.output = threading.Lock()
        self.running = []  # pairs of id and event

    def notified(self, method, params):
        if method != "notifications/cancelled":
            return
        cancelled = self.id_text(params.get("requestId"))
        self.lock.acquire()
        found = [event for request_id, event in self.running if request_id == cancelled]
        if PLANTED and not found:
            return  # without the lock being released
        self.lock.release()
        for event in found:
            event.set()

    def batch(self, messages, deep):
        # The answers of a batch stand in one array, so none may come later.
        self.in_batch = True
        try:
            return super().batch(messages, deep)
        finally:
            self.in_batch = False

    in_batch = False

    def carry_out(self, request_id, tool, arguments):
        event = threading.Event()
        with self.lock:
            if len(self.running) == RUNNING_LIMIT:
                return self.tool_error(request_id, "Too many calls at a time")
            self.running.append((request_id, event))
        arguments = {**arguments, "cancelled": event}
        if self.in_batch:
            return self.work(request_id, event, tool, arguments)
        threading.Thread(target=lambda: self.work_alone(request_id, event, tool, arguments)).start()
        return None

    def work(self, request_id, event, tool, arguments):
        answer = super().carry_out(request_id, tool, arguments)
        with self.lock:
            self.running.remove((request_id, event))
            return None if event.is_set() else answer

    def work_alone(self, request_id, event, tool, arguments):
        answer = self.work(request_id, event, tool, arguments)
        if answer is not None:
            self.send(answer)

    def send(self, text):
        with self.output:
            super().send(text)


def count_down(arguments):
    pause = arguments.get("pause", 0) / 1000
    numbers = []
    for number in range(int(arguments["start"]), 0, -1):
        numbers.append(str(number))
        if arguments["cancelled"].wait(pause):
            raise ToolError("Cancelled")
    return " ".join(numbers)


CountDown(Tool("count_down", "Counts down to one, with pauses.", SCHEMA, count_down)).run()

"""Reports what a Python server executes to mcp-conform, and then makes way for any sitecustomize that is there already.

MCP_CONFORM_COVERAGE names the file that both sides map (see covrt.c); without it nothing happens.
MCP_CONFORM_COVERAGE_ROOTS may name folders, with the separator of PATH: code in them is reported, and no other. By
default that is all code that is not Python's own and not installed, and of installed code the package that was started.
"""

import os
import sys


def _report(path):
    import mmap
    import sysconfig
    import zlib

    descriptor = os.open(path, os.O_RDWR)
    try:
        mapped = mmap.mmap(descriptor, 4 << 20)
    finally:
        os.close(descriptor)
    counters = memoryview(mapped)[65536:131072]

    def absolute(folder):
        return os.path.join(os.path.realpath(folder), "")

    roots = tuple(map(absolute, filter(None, os.environ.get("MCP_CONFORM_COVERAGE_ROOTS", "").split(os.pathsep))))
    library = tuple({absolute(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")})
    started = {
        os.path.basename(word).partition(".")[0].replace("-", "_") for word in getattr(sys, "orig_argv", sys.argv)
    }

    def is_reported(name):
        if name.startswith("<") or os.path.basename(name) == "sitecustomize.py":
            return False
        name = os.path.realpath(name)
        if roots:
            return name.startswith(roots)
        for installed in ("site-packages", "dist-packages"):
            before, found, after = name.partition(os.sep + installed + os.sep)
            if found:
                return after.split(os.sep)[0].partition(".")[0] in started
        return not name.startswith(library)

    # By the identity of the code, whose own hash is slow; kept alive, so that the identity stays its own.
    bases = {}
    kept = []

    def base(code):
        found = bases.get(id(code))
        if found is None:
            name = code.co_filename
            found = -1
            if is_reported(name):
                found = zlib.crc32(("%s:%s:%d" % (name, code.co_name, code.co_firstlineno)).encode("utf-8", "replace"))
            bases[id(code)] = found
            kept.append(code)
        return found

    def count(place):
        seen = counters[place]
        if seen != 255:
            counters[place] = seen + 1

    monitoring = getattr(sys, "monitoring", None)
    tool = None
    if monitoring is not None:
        tool = next((number for number in (3, 4, 1) if monitoring.get_tool(number) is None), None)
    if tool is not None:
        monitoring.use_tool_id(tool, "mcp-conform")
        disable = monitoring.DISABLE

        def branch(code, offset, destination):
            start = bases.get(id(code))
            if start is None:
                start = base(code)
            if start < 0:
                return disable
            place = (start + offset * 40503 + destination * 30011) & 65535
            seen = counters[place]
            if seen != 255:
                counters[place] = seen + 1

        def line(code, number):
            start = bases.get(id(code))
            if start is None:
                start = base(code)
            if start < 0:
                return disable
            place = (start + number * 40503) & 65535
            seen = counters[place]
            if seen != 255:
                counters[place] = seen + 1

        events = monitoring.events
        wanted = events.LINE
        monitoring.register_callback(tool, events.LINE, line)
        for name in ("BRANCH_LEFT", "BRANCH_RIGHT") if hasattr(events, "BRANCH_LEFT") else ("BRANCH",):
            wanted |= getattr(events, name)
            monitoring.register_callback(tool, getattr(events, name), branch)
        monitoring.set_events(tool, wanted)
    else:
        import threading

        def trace(frame, event, argument):
            start = base(frame.f_code)
            if start < 0:
                return None

            def local(frame, event, argument):
                if event == "line":
                    count((start + frame.f_lineno * 40503) & 65535)
                return local

            count(start & 65535)
            return local

        sys.settrace(trace)
        threading.settrace(trace)
    # What is reported: a bitmap of lines and branches, or of lines alone.
    mapped[4:8] = (4 if tool is None else 3).to_bytes(4, sys.byteorder)


def _make_way():
    import importlib.machinery
    import importlib.util

    here = os.path.dirname(os.path.realpath(__file__))
    elsewhere = [folder for folder in sys.path if os.path.realpath(folder or os.curdir) != here]
    found = importlib.machinery.PathFinder.find_spec("sitecustomize", elsewhere)
    if found is None or found.loader is None:
        return
    module = importlib.util.module_from_spec(found)
    sys.modules["sitecustomize"] = module
    found.loader.exec_module(module)


if os.environ.get("MCP_CONFORM_COVERAGE"):
    try:
        _report(os.environ["MCP_CONFORM_COVERAGE"])
    except (OSError, ValueError) as error:
        sys.stderr.write("mcp-conform: no coverage: %r\n" % (error,))
_make_way()

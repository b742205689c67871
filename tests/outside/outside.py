"""What `run` and `compare` share: the cache of installed judges, servers, child processes."""

import contextlib
import fcntl
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("OUTSIDE_DIR") or HERE.parent.parent / "target" / "outside").resolve()

# The judges, pinned. What they depend on themselves is left to the registries.
OFFICIAL = "@modelcontextprotocol/conformance@0.2.0-alpha.12"
NODE = "node@22"
PYTHON = {"python1": "mcp==1.30.0", "python2": "mcp==2.3.0"}
TYPESCRIPT = {"typescript1": "@modelcontextprotocol/sdk@1.32.2", "typescript2": "@modelcontextprotocol/client@2.4.0"}

INSTALL_TIME = 300  # seconds for one package
START_TIME = 30  # seconds for a server to listen


class Trouble(Exception):
    """Something is missing here; the text says what to do about it. No verdict on the server."""


def main(run):
    """Runs it with cleanup on every way out, and turns trouble into a message."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    sys.stdout.reconfigure(line_buffering=True)
    try:
        sys.exit(run())
    except Trouble as trouble:
        print(f"error: {trouble}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    finally:
        Children.end_all()


def binary_of(arguments, usage):
    if len(arguments) != 1 or arguments[0].startswith("-"):
        raise Trouble(f"usage: {usage} PATH-TO-MCP-CONFORM-BINARY")
    path = Path(arguments[0]).resolve()
    if not (path.is_file() and os.access(path, os.X_OK)):
        raise Trouble(f"{arguments[0]} is no program; build it with `cargo build` and give its path")
    return str(path)


class Children:
    """The processes that we started, each the leader of a group of its own."""

    _running = set()
    _lock = threading.Lock()
    _closed = False

    @classmethod
    def start(cls, command, **options):
        with cls._lock:
            if cls._closed:
                raise KeyboardInterrupt
            child = subprocess.Popen(command, start_new_session=True, **options)
            cls._running.add(child)
        return child

    @classmethod
    def end(cls, child):
        """Ends the group, politely first. The leader is not yet reaped, so its id is still ours."""
        with cls._lock:
            if child not in cls._running:
                return
            cls._running.discard(child)
        for wanted in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, wanted)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(5)
                break

    @classmethod
    @contextlib.contextmanager
    def ended_on_error(cls):
        """So that an interruption need not wait for threads that wait for children."""
        try:
            yield
        except BaseException:
            cls.end_all()
            raise

    @classmethod
    def end_all(cls):
        with cls._lock:
            cls._closed = True
            running = list(cls._running)
        for child in running:
            cls.end(child)


def output_of(command, seconds, **options):
    """Runs a command to its end: exit code, standard output, standard error."""
    child = Children.start(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )
    try:
        out, err = child.communicate(timeout=seconds)
        return child.returncode, out, err
    except subprocess.TimeoutExpired:
        Children.end(child)
        out, err = child.communicate()
        return None, out, f"{err}\ngiven up after {seconds} seconds"
    finally:
        Children.end(child)


@contextlib.contextmanager
def reference_server(binary, transport, delay):
    """A reference server on a port of its own choice; yields its address."""
    command = [binary, "__reference-server", f"--{transport}", "127.0.0.1:0", "--exit-with-stdin"]
    command += ["--fixture-delay", str(delay)]
    # Should we be killed, its stdin closes, and so it ends.
    child = Children.start(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    said, address, ready = [], [], threading.Event()

    def listen():
        for line in child.stderr:
            said.append(line)
            if line.startswith("listening on ") and not address:
                address.append(line.split()[2])
                ready.set()
        ready.set()

    reader = threading.Thread(target=listen, daemon=True)
    reader.start()
    try:
        ready.wait(START_TIME)
        if not address:
            raise Trouble(f"the reference server does not listen ({' '.join(command)}): {''.join(said).strip()}")
        yield address[0]
    finally:
        with contextlib.suppress(OSError):
            child.stdin.close()
        Children.end(child)
        reader.join(5)


class Judges:
    """The installed judges."""

    def __init__(self, wanted):
        self.wanted = wanted
        self.node = None

    def python(self, name):
        return str(CACHE / name / "bin" / "python")

    @property
    def official(self):
        return str(CACHE / "official" / "node_modules" / ".bin" / "conformance")

    def install(self):
        """Installs what the cache lacks, side by side."""
        CACHE.mkdir(parents=True, exist_ok=True)
        with open(CACHE / "lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"waiting for another run that installs into {CACHE}")
                fcntl.flock(lock, fcntl.LOCK_EX)
            jobs = []
            for name in self.wanted:
                if name in PYTHON:
                    jobs.append((name, [PYTHON[name]], install_python))
                elif name in TYPESCRIPT:
                    jobs.append((name, [TYPESCRIPT[name]], install_npm))
                else:
                    jobs.append((name, [OFFICIAL], install_npm))
            self.node = own_node()
            if self.node is None:
                jobs.append(("node", [NODE], install_npm))
            jobs = [job for job in jobs if not installed(job[0], job[1])]
            if jobs:
                print(f"installing {', '.join(' '.join(packages) for _, packages, _ in jobs)}")
            with ThreadPoolExecutor(3) as pool, Children.ended_on_error():
                for done in [pool.submit(install, *job) for job in jobs]:
                    done.result()
        if self.node is None:
            self.node = str(CACHE / "node" / "node_modules" / "node" / "bin" / "node")
            if not runs(self.node):
                raise Trouble(
                    f"{NODE} from npm does not run on this machine ({platform.machine()}); install Node 22 or newer, "
                    f"or, if npm is set up to ignore install scripts, remove {CACHE / 'node'} and allow them"
                )
        return self


def own_node():
    """The machine's Node, if it is new enough for the official suite."""
    node = shutil.which("node")
    if node and runs(node):
        _, version, _ = output_of([node, "--version"], 20)
        if int(version.strip().lstrip("v").split(".")[0]) >= 22:
            return node
    return None


def runs(program):
    try:
        return output_of([program, "--version"], 20)[0] == 0
    except OSError:
        return False


def installed(name, packages):
    mark = CACHE / name / "installed.json"
    try:
        return json.loads(mark.read_text()) == packages
    except (OSError, ValueError):
        return False


def install(name, packages, how):
    folder = CACHE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    how(folder, packages)
    (folder / "installed.json").write_text(json.dumps(packages))


def install_npm(folder, packages):
    npm = shutil.which("npm")
    if npm is None:
        raise Trouble("npm is missing; install Node 20 or newer together with npm")
    (folder / "package.json").write_text('{ "private": true }\n')
    command = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts=false", *packages]
    must(command, folder, packages)


def install_python(folder, packages):
    uv = shutil.which("uv")
    if uv:
        must([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], folder, packages)
        must([uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), *packages], folder, packages)
        return
    if sys.version_info < (3, 10):
        raise Trouble("the Python SDKs need Python 3.10 or newer; run this with one")
    must([sys.executable, "-m", "venv", str(folder)], folder, packages,
         "if the module venv is missing, install it (on Debian the package python3-venv), or install uv")
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    must([*pip, *packages], folder, packages)


def must(command, folder, packages, remedy="is the registry reachable? the cache is not harmed; run it again"):
    code, out, err = output_of(command, INSTALL_TIME, cwd=folder)
    if code != 0:
        last = "\n".join((out + err).strip().splitlines()[-15:])
        raise Trouble(f"{' '.join(packages)} could not be installed: {remedy}\n{last}")


class Official:
    """What the official suite found."""

    def __init__(self, node, program, options, url, results, seconds=150):
        shutil.rmtree(results, ignore_errors=True)
        command = [node, program, "server", "--url", url, "--output-dir", str(results), *options]
        began = time.monotonic()
        self.code, self.out, self.err = output_of(command, seconds)
        self.seconds = time.monotonic() - began
        self.counts = {"SUCCESS": 0, "FAILURE": 0, "WARNING": 0, "SKIPPED": 0, "INFO": 0}
        self.bad = []
        self.scenarios = 0
        for file in sorted(results.glob("*/checks.json")):
            self.scenarios += 1
            for check in json.loads(file.read_text()):
                status = check["status"]
                self.counts[status] = self.counts.get(status, 0) + 1
                if status not in ("SUCCESS", "SKIPPED", "INFO"):
                    why = check.get("errorMessage") or check.get("description", "")
                    self.bad.append(f"{status} {file.parent.name.partition('-2')[0]}: {check['id']}: {why}")

    @property
    def verdicts(self):
        return self.counts["SUCCESS"] + self.counts["FAILURE"] + self.counts["WARNING"]

    def problem(self):
        """Why this is no success, if so."""
        if self.bad:
            return "\n".join(self.bad)
        if self.code != 0:
            return f"it ended with {self.code}: {self.err.strip() or self.out.strip()[-1000:]}"
        # Its own summary must agree, lest we have read the wrong files.
        if f"Total: {self.counts['SUCCESS']} passed, 0 failed" not in self.out:
            return f"its summary differs from the {self.counts['SUCCESS']} successes in its files"
        if not self.counts["SUCCESS"]:
            return "it checked nothing"
        return None

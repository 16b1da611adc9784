"""Where Ace Data Cloud tells the end of a task: a receiver of callbacks, made of the standard library."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from studio.acedata import link_in


class Hooks:
    """The tasks whose end is awaited. Each end counts once, however often it is told."""

    def __init__(self, address: str) -> None:
        self.address = address
        """What a create gives as `callback_url`."""
        self.links: dict[str, str] = {}
        """Of the tasks that have ended well."""
        self.failures: dict[str, str] = {}
        """Of the others, with the provider's code."""
        self._awaited: set[str] = set()
        self._early: dict[str, Mapping[str, Any]] = {}
        self._lock = threading.Lock()

    def await_end(self, task: str) -> None:
        """From now on this task is ours. Its end may have been told before we knew its id."""
        with self._lock:
            self._awaited.add(task)
            told = self._early.pop(task, None)
            if told is not None:
                self._end(task, told)

    def tell(self, told: Mapping[str, Any]) -> None:
        """Take a callback. One for a task that isn't ours, or that has ended before, changes nothing."""
        task = str(told.get("task_id"))
        with self._lock:
            if task in self._awaited:
                self._end(task, told)
            elif task not in self.links and task not in self.failures:
                self._early[task] = told

    def _end(self, task: str, told: Mapping[str, Any]) -> None:
        self._awaited.discard(task)
        if told["success"]:
            self.links[task] = str(link_in({"id": task, "response": told}))
        else:
            self.failures[task] = told["error"]["code"]


@contextmanager
def listening() -> Iterator[Hooks]:
    """A receiver on a free port, as long as the `with` lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            # Only written down here: who takes long to answer is told again.
            hooks.tell(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hooks = Hooks(f"http://127.0.0.1:{server.server_port}/ended")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield hooks
        server.shutdown()

"""The end of a server whose tests are gone.

Tests that are killed end nothing, and a server is in a session of its own, which their signals do not reach.
"""

from __future__ import annotations

import os
import signal
import threading
import time

PARENT = "ASGIWIRE_E2E_PARENT"


def end_with_parent() -> None:
    """Watch, from a thread, whether the process still lives that has started this server."""
    parent = os.environ.get(PARENT)
    if parent is not None:
        threading.Thread(target=_watch, args=(int(parent),), daemon=True).start()


def _watch(parent: int) -> None:
    while True:
        time.sleep(2)
        try:
            os.kill(parent, 0)
        except ProcessLookupError:
            # The group is the server's own: it was started with `start_new_session`.
            os.killpg(os.getpgrp(), signal.SIGKILL)

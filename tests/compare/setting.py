"""On what a run was made."""

from __future__ import annotations

import datetime
import os
import platform
from importlib.metadata import version
from typing import Any

from tests.live.server import VERSION

__all__ = ["setting"]


def setting() -> dict[str, Any]:
    """The date, the versions and the machine, ready to be written."""
    return {
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "agents": version("livekit-agents"),
        "server": VERSION if not os.environ.get("LIVEKIT_URL") else "of LIVEKIT_URL",
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }

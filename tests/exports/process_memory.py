"""What a process takes, and took at its most.

Not ru_maxrss: a child's begins at the most that its parent took, which hides whatever is below that.
"""

from __future__ import annotations

from pathlib import Path


def memory_kib(name: str) -> int:
    """Return VmRSS (now) or VmHWM (the most so far) of this process in KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))

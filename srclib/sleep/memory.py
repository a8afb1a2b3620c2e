"""How much memory there is, so that what would not fit is refused before any of it is taken."""

from __future__ import annotations

import os
from pathlib import Path

MEMINFO = Path("/proc/meminfo")
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of a container


def available() -> int:
    """Return how many bytes this process may still take, as far as the system tells; it need not be all of them."""
    found = []
    for limit in map(Path, LIMITS):
        if limit.is_file() and (text := limit.read_text().strip()).isdecimal():
            found.append(int(text))
    if MEMINFO.is_file():
        lines = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines() if ":" in line)
        if "MemAvailable" in lines:
            found.append(int(lines["MemAvailable"].split()[0]) * 1024)
    if not found and hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(found, default=1 << 62)


def require(needed: int, what: str) -> None:
    """Raise ValueError, which names what would take so many bytes, where there are fewer."""
    if needed > (free := available()):
        raise ValueError(f"{what} would take {in_words(needed)} of memory: allowed is what fits, {in_words(free)} here")


def in_words(count: int) -> str:
    """Return a number of bytes in the unit that suits it."""
    for unit, size in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6)):
        if count >= size:
            return f"{count // size:,} {unit}" if count >= 10 * size else f"{count / size:.1f} {unit}"
    return f"{count} bytes"

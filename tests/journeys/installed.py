"""A package with gates, as an installer leaves it in a folder: its module and its dist-info."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path


def install(folder: Path, source: str, gates: Mapping[str, str], *, name: str = "house_gates") -> Path:
    """Put the package there: `gates` maps the name of an entry point to what it loads. Returns the folder."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    entries = "\n".join(f"{gate} = {target}" for gate, target in gates.items())
    files = {
        folder / f"{name}.py": source,
        info / "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        info / "WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        info / "entry_points.txt": f"[autonomy.gates]\n{entries}\n",
    }
    rows = []
    for path, text in files.items():
        path.write_text(text, "utf-8")
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path.relative_to(folder)},sha256={digest},{len(text.encode())}")
    (info / "RECORD").write_text("\n".join([*rows, f"{info.name}/RECORD,,"]) + "\n", "utf-8")
    return folder

"""Writes `zoo/models/hashes.json`: the SHA-256 of each file of each model.

    python zoo/hashes.py
"""

import hashlib
import json
from pathlib import Path

MODELS = Path(__file__).parent / "models"


def hashes(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


if __name__ == "__main__":
    found = {folder.name: hashes(folder) for folder in sorted(MODELS.iterdir()) if folder.is_dir()}
    (MODELS / "hashes.json").write_text(json.dumps(found, indent=2) + "\n")

"""Make the pictures of the README's gallery: ``python tests/gallery.py [NAME ...]``.

The README itself holds the code: each of its gallery's python blocks ends with a widget called
``view``, whose picture goes to the file that the block's image names.
"""

import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_ENTRY = re.compile(
    r"^### (?P<name>\w+)\n.*?^!\[(?P<alt>[^\]]*)\]\((?P<picture>[^)]+)\)\n.*?"
    r"^```python\n(?P<code>.*?)^```$",
    flags=re.MULTILINE | re.DOTALL,
)


def entries() -> list[dict[str, str]]:
    """Name, alt, picture and code of each widget in the README's gallery."""
    _, _, gallery = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## The widgets\n")
    gallery = gallery.partition("\n## ")[0]
    return [match.groupdict() for match in _ENTRY.finditer(gallery)]


def made(code: str) -> Any:
    """The widget that a block of the README makes."""
    names: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), names)
    return names["view"]


def main() -> None:
    """Write the pictures of the widgets named, or of all."""
    for entry in entries():
        if not sys.argv[1:] or entry["name"] in sys.argv[1:]:
            view = made(entry["code"])
            view.save(ROOT / entry["picture"])
            print(entry["picture"], view.summary)
            view.close()


if __name__ == "__main__":
    main()

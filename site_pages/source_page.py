"""A file of the repository as a page of the site, which other pages link to."""

from __future__ import annotations

LANGUAGES = {".py": "python", ".json": "json", ".yml": "yaml", ".toml": "toml", ".js": "javascript"}


def place_of_source(path: str) -> str:
    """Where the site has the page of a file, or of a folder, of the repository."""
    return f"source/{path}.md"


def source_page(path: str, text: str) -> str:
    """The page of a file: its text, as it is."""
    language = LANGUAGES.get(path[path.rfind(".") :], "text")
    fence = "~" * 12
    return f"{_kept_out_of_search()}# {path}\n\n{fence} {language}\n{text}\n{fence}\n"


def folder_page(path: str, files: list[str]) -> str:
    """The page of a folder: its files, each with its page."""
    last = path.rpartition("/")[2]
    items = "".join(f"- [{name}]({last}/{name}.md)\n" for name in files)
    return f"{_kept_out_of_search()}# {path}\n\n{items}"


def _kept_out_of_search() -> str:
    return "---\nsearch:\n  exclude: true\n---\n\n"

"""Write the pages for mkdocs: python -m site_pages FOLDER SITE [--recorded].

FOLDER gets the pages and mkdocs.yml, SITE is where mkdocs is to build the site. The runs that the
pages show are made here, or with --recorded are those in tests/recordings.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from lab.errors import LabError, MachineError


def main(arguments: list[str] | None = None) -> int:
    """Write them; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m site_pages", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("site", type=Path)
    parser.add_argument("--recorded", action="store_true")
    options = parser.parse_args(arguments)
    try:
        write(options.folder.absolute(), options.site.absolute(), is_recorded=options.recorded)
    except MachineError as error:
        print(f"{error}\nwith recorded runs: make docs RUNS=recorded", file=sys.stderr)
        return 3
    except LabError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def write(folder: Path, site: Path, *, is_recorded: bool) -> None:
    """Write all that mkdocs reads into a folder, which is emptied before. Raises LabError."""
    from site_pages import staging
    from site_pages.nav import navigation
    from site_pages.runs import made_experiments, made_runs, recorded_runs

    shutil.rmtree(folder, ignore_errors=True)
    docs = folder / "docs"
    runs = recorded_runs() if is_recorded else made_runs(folder / "runs")
    stage = staging.Stage(docs)
    staging.pages_of_docs(stage, folder / "typing", is_recorded=is_recorded)
    groups = staging.pages_of_scenarios(stage, runs)
    staging.page_of_causes(stage, runs, [] if is_recorded else made_experiments())
    staging.pages_of_reference(stage)
    staging.search_without_server(stage)
    stage.write_sources()
    nav = navigation(stage.pages, groups)
    (folder / "mkdocs.yml").write_text(staging.configuration(nav, docs, site), "utf-8")


if __name__ == "__main__":
    sys.exit(main())

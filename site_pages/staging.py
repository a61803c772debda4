"""Everything that mkdocs builds the site from, in one folder."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Sequence
from pathlib import Path

from lab.errors import UsageError
from site_pages.links import relocated
from site_pages.scenario_page import scenario_page
from site_pages.source_page import folder_page, place_of_source, source_page
from site_pages.tables import with_bars

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from site_pages.runs import SiteExperiment, SiteRun

ROOT = Path(__file__).parents[1]
BESIDE = {
    "ARCHITECTURE.md": "develop/ARCHITECTURE.md",
    "CONTRIBUTING.md": "develop/CONTRIBUTING.md",
}
"""Pages of the repository that are not in docs/, and where the site has them."""

INSTEAD = {"README.md": "index.md"}
"""What the site has another page for."""

LESSONS = "docs/lessons/"
"""The folder of what is written by hand of each scenario's page."""

BESIDE_PAGES = (".png", ".svg", ".css", ".js")

WORKER = """\
// From disk, a worker is started by its text.
if (location.protocol === "file:") {
  const text = TEXT;
  const Direct = window.Worker;
  window.Worker = class extends Direct {
    constructor(url, options) {
      const isSearch = new URL(url, location.href).pathname.includes("/workers/search.");
      const blob = new Blob([text], { type: "text/javascript" });
      super(isSearch ? URL.createObjectURL(blob) : url, options);
    }
  };
}
"""


class Stage:
    """The folder that mkdocs reads. Paths in it have slashes and are relative to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.pages: list[str] = []
        """Those that the navigation has to lead to, in the order in which they were written."""
        self._sources: set[str] = set()
        """Paths of the repository that pages link to, and that are no pages of docs/."""

    def write(self, place: str, content: str | bytes) -> None:
        """Write a file."""
        target = self._folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, bytes) else content.encode("utf-8")
        target.write_bytes(data)

    def add(self, page: str, place: str, text: str) -> None:
        """Write a page whose links are as from `page`, its path in the repository."""
        self.add_made(place, relocated(text, page, place, self.place_of, title_of))

    def add_made(self, place: str, text: str) -> None:
        """Write a page whose links are as from where it is in the site."""
        self.write(place, with_bars(text))
        self.pages.append(place)

    def place_of(self, path: str) -> str:
        """Where the site has a path of the repository; what it cannot have as it is gets a page."""
        if other := (BESIDE | INSTEAD).get(path):
            return other
        if path.startswith("docs/") and path.endswith((".md", *BESIDE_PAGES)):
            return path.removeprefix("docs/")
        if not (ROOT / path).exists():
            raise UsageError(f"a page links to {path}, which is not there")
        self._sources.add(path)
        return place_of_source(path)

    def write_sources(self) -> None:
        """Write a page for each file and folder of the repository that pages link to."""
        for path in sorted(self._sources):
            if not (ROOT / path).is_dir():
                continue
            files = sorted(each.name for each in (ROOT / path).iterdir() if each.is_file())
            self._sources |= {f"{path}/{name}" for name in files}
            self.write(place_of_source(path), folder_page(path, files))
        for path in sorted(self._sources):
            if (ROOT / path).is_file():
                self.write(
                    place_of_source(path), source_page(path, (ROOT / path).read_text("utf-8"))
                )


def title_of(page: str) -> str:
    """The heading of a page, by its path in the repository, up to a colon."""
    heading = (ROOT / page).read_text("utf-8").partition("\n")[0]
    return heading.removeprefix("# ").partition(":")[0]


def docs_pages() -> Iterator[tuple[str, str]]:
    """The pages of docs/ and those beside it: the path in the repository, and the text."""
    for path in sorted((ROOT / "docs").rglob("*.md")):
        yield str(path.relative_to(ROOT)), path.read_text("utf-8")
    for page in BESIDE:
        yield page, (ROOT / page).read_text("utf-8")


def pages_of_docs(stage: Stage, typing: Path, *, is_recorded: bool) -> None:
    """Stage the pages that are written by hand, and what stands beside them. Raises LabError.

    Those of lessons/ are parts of the scenarios' pages. What a page's commands print is shown in
    it, where it says so; they are typed in a folder for each page in `typing`.
    """
    from site_pages.typed import filled, typed_by_page

    for page, text in docs_pages():
        if page.startswith(LESSONS):
            continue
        place = stage.place_of(page)
        here = typing / place.replace("/", "-")
        done = typed_by_page(page, text, here, is_recorded=is_recorded)
        for file, picture in done.pictures.items():
            stage.write(posixpath.join(posixpath.dirname(place), done.place_of(file)), picture)
        stage.add_made(place, filled(relocated(text, page, place, stage.place_of, title_of), done))
    for beside in (ROOT / "docs").rglob("*.*"):
        if beside.suffix in BESIDE_PAGES:
            stage.write(str(beside.relative_to(ROOT / "docs")), beside.read_bytes())


def pages_of_scenarios(stage: Stage, runs: Sequence[SiteRun]) -> dict[str, list[str]]:
    """Stage a page for each scenario with its run's report and picture; their places by group."""
    from lab.derive import derived

    groups: dict[str, list[str]] = {}
    for run in runs:
        page = f"{LESSONS}{run.name}.md"
        if not (ROOT / page).is_file():
            raise UsageError(f"{run.name} has no exercises: {page} is not there")
        _, _, more = (ROOT / page).read_text("utf-8").partition("\n")
        place = stage.place_of(page)
        written = relocated(more, page, place, stage.place_of, title_of)
        sources = {path: stage.place_of(path) for path in sources_of(run)}
        stage.add_made(place, scenario_page(run, written, sources))
        groups.setdefault(run.group, []).append(place)
        for form, name in (("html", "report.html"), ("svg", "ladder.svg")):
            if run.result is not None:
                stage.write(f"runs/{run.name}/{name}", derived(run.result, form))
    return groups


def page_of_causes(
    stage: Stage, runs: Sequence[SiteRun], experiments: Sequence[SiteExperiment]
) -> None:
    """Stage the page of causes, with pictures of the runs that show them, and those' reports."""
    from lab.analysis.causes.catalogue import SUBJECTS
    from lab.derive import derived
    from lab.report.study.picture import draw_excerpt
    from site_pages.causes_page import PLACE, causes_page, picture_place, pictured, seen_causes

    seen = seen_causes(runs, experiments)
    stage.add_made(PLACE, causes_page(SUBJECTS, seen))
    for name, each in seen.items():
        if (shown := pictured(each)) and shown.picture:
            stage.write(picture_place(name), draw_excerpt(shown.title, shown.picture))
    for made in experiments:
        for first, *_ in seen.values():
            if first.experiment is made.experiment:
                stage.write(first.report, derived(made.result, "html"))


def pages_of_reference(stage: Stage) -> None:
    """Stage the pages of reference."""
    from site_pages.reference import reference_pages

    for place, text in reference_pages():
        stage.add_made(place, text)


def sources_of(run: SiteRun) -> list[str]:
    """A scenario's file and its programs, by their paths in the repository, each once."""
    files = [run.file]
    for step in run.scenario.steps:
        for program in step.programs:
            files += [Path(word) for word in program.argv if word.endswith(".py")]
    return [str(path.relative_to(ROOT)) for path in dict.fromkeys(files)]


def configuration(nav: object, folder: Path, site: Path) -> str:
    """What mkdocs gets besides mkdocs.yml: JSON, which is YAML as well."""
    told = {
        "INHERIT": str(ROOT / "mkdocs.yml"),
        "docs_dir": str(folder),
        "site_dir": str(site),
        "nav": nav,
    }
    return json.dumps(told, indent=1) + "\n"


def search_without_server(stage: Stage) -> None:
    """Stage the script that lets the search work from disk.

    Browsers start no worker of a file on disk, but one of a text: so the text is taken along.
    """
    import material

    assert material.__file__ is not None
    folder = Path(material.__file__).parent / "templates/assets/javascripts/workers"
    (worker,) = folder.glob("search.*.min.js")
    text = json.dumps(worker.read_text("utf-8")).replace("</", "<\\/")
    stage.write("assets/iframe-worker.js", WORKER.replace("TEXT", text))

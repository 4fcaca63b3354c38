"""The order of the modules: each may import what stands above it in LAYERS, and nothing else.

The longest name that fits a module is its place. Names on one line may not import each other; modules inside
one name (a folder) may, as long as no circle comes of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.source import imports_of, is_in, module_of, under

APP = "requests_app"

LAYERS: tuple[tuple[str, ...], ...] = (
    # The wire, a fal of our own, and what programs install: none knows the rest.
    ("faults",),
    ("fal", "sandbox", "client"),
    # How a process is put together; what of it the app may use.
    (
        "dashboard.logcontext",
        "dashboard.masking",
        "dashboard.file_modes",
        "dashboard.celery",
        "dashboard.env",
        "dashboard.module_imports",
        "dashboard.inert",
    ),
    ("dashboard.local_apps",),
    ("models",),
    ("audit",),
    # Which fal key a call is made with.
    ("rules", "keys"),
    ("accounts",),
    # The one voice.
    ("announce",),
    ("request_input", "display", "search", "paging", "catalogue"),
    # Figures that are counted beforehand; the lifecycle marks what has changed.
    ("overview",),
    # What is downloaded.
    ("export",),
    # Own copies of media, and the one fetch from a media host.
    ("copies",),
    # Inputs with variables.
    ("presets", "thumbnails"),
    # Rows of the list's table.
    ("listed",),
    # One run as a file.
    ("runfile",),
    # What was made, as tiles.
    ("gallery",),
    # Failures that are alike.
    ("error_groups",),
    # The one writer of requests, and of teams.
    ("lifecycle",),
    ("teams",),
    # Log-in at an identity provider, whose word decides on roles.
    ("sso",),
    # One input over many rows; one action on many requests.
    ("batches", "bulk"),
    # What tells a team of events.
    ("notices",),
    # The queue of own apps.
    ("localqueue",),
    # What a team's own programs are sent.
    ("forwarding",),
    # Where webhooks may come from.
    ("webhooks.senders",),
    ("upkeep",),
    ("record",),
    ("webhooks.address",),
    ("worker",),
    ("webhooks", "relay", "uploads", "keys.check"),
    ("forms", "templatetags"),
    ("views.login",),
    # Who may see a row; the frame of every page.
    ("views.access",),
    ("views.context",),
    # A row as HTML: for a page, and pushed to it.
    ("views.row_html",),
    # Edges: a page, a program, a tab, the clock.
    ("views", "api", "consumers", "tasks", "gateway"),
    ("urls", "api.urls", "account_urls", "routing", "checks"),
    ("apps",),
    ("dashboard",),
    # Commands put the whole together.
    ("management",),
)

# Read by Django before any of the app: they name its parts as text.
UNORDERED = ("requests_app", "dashboard")


def full(name: str) -> str:
    """The dotted name of a place in LAYERS."""
    return name if name.startswith("dashboard") else f"{APP}.{name}"


PLACES = {full(name): level for level, names in enumerate(LAYERS) for name in names}


def place_of(module: str) -> str | None:
    """The longest name in LAYERS that the module is or lies in."""
    fitting = [place for place in PLACES if is_in(module, place)]
    return max(fitting, key=len, default=None)


def sources() -> dict[str, str]:
    """Every module of ours and its file."""
    return {module_of(path): path for path in under(f"{APP}/", "dashboard/")}


def own_imports(modules: Mapping[str, str]) -> Iterator[tuple[str, int, str]]:
    """Module, line, and the module of ours that it imports."""
    for module, path in modules.items():
        for line, name in imports_of(path):
            imported = name
            while imported and imported not in modules:
                imported = imported.rpartition(".")[0]
            if imported and imported not in (module, *UNORDERED):
                yield module, line, imported


def without_place(modules: Mapping[str, str]) -> list[str]:
    """Modules that stand nowhere in LAYERS, and places that no module is in."""
    placed = {module: place_of(module) for module in modules if module not in UNORDERED}
    lost = [f"{module} stands in no layer" for module, place in placed.items() if place is None]
    empty = [f"{place} has no module" for place in PLACES if place not in placed.values()]
    return lost + empty


def against_the_order(modules: Mapping[str, str]) -> Iterator[str]:
    """Imports of what stands below or beside the importer."""
    for module, line, imported in own_imports(modules):
        mine, other = place_of(module), place_of(imported)
        if mine and other and mine != other and PLACES[other] >= PLACES[mine]:
            yield f"{modules[module]}:{line} imports {imported}, which stands after {mine}"


def circles(modules: Mapping[str, str]) -> list[str]:
    """Modules that import themselves by way of others, each named once."""
    arrows: dict[str, set[str]] = {module: set() for module in modules}
    for module, _, imported in own_imports(modules):
        arrows[module].add(imported)
    return [f"{module} imports itself" for module in modules if module in reached(module, arrows)]


def reached(start: str, arrows: Mapping[str, set[str]]) -> set[str]:
    """All that can be come to from a module."""
    seen: set[str] = set()
    waiting = list(arrows[start])
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting.extend(arrows[module])
    return seen

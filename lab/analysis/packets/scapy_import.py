"""scapy's header classes, without what else its import does.

Importing scapy reads protocol, service and vendor databases, keeps pickles of them in the
user's home, creates directories there, and asks the kernel for interfaces and routes over
netlink: a quarter of a second the first time, and none of it has a part in reading a
header. Each piece is avoided only where scapy still looks as it does from 2.6.1 to 2.8.0;
where it does not, the import is scapy's own and the lab is merely slower to start.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any, NoReturn

_SILENT = 60
"""Above logging.CRITICAL: what a header lacks is reported as Malformed, not on stderr."""


def import_scapy_layers() -> tuple[Any, Any, Any]:
    """The modules scapy.layers.l2, .inet and .inet6.

    scapy's routing table, interface list and name databases stay empty in this process if
    nothing has imported scapy before.
    """
    config = import_module("scapy.config")
    config.conf.route_autoload = False
    config.conf.route6_autoload = False
    config.conf.logLevel = _SILENT
    if "scapy.data" not in sys.modules:
        _import_data_without_databases()
    if "scapy.arch" not in sys.modules:
        _import_arch_without_interfaces()
    return (
        import_module("scapy.layers.l2"),
        import_module("scapy.layers.inet"),
        import_module("scapy.layers.inet6"),
    )


def _refuse_to_open(name: object, *_: object, **__: object) -> NoReturn:
    """In place of open() in scapy.data, which goes on without a file it cannot read."""
    raise FileNotFoundError(name)


def _stand_ins() -> dict[str, ModuleType]:
    """Modules that scapy.data imports while it loads, by name, with nothing in them."""
    modules = {name: ModuleType(name) for name in ("scapy.main", "scapy.libs.manuf")}
    # No folder: scapy.data then caches nothing. The real module makes ~/.cache and others.
    modules["scapy.main"].__dict__["SCAPY_CACHE_FOLDER"] = None
    for name in ("scapy.libs.ethertypes", "scapy.libs.bluetoothids", "scapy.libs.manuf"):
        modules.setdefault(name, ModuleType(name)).__dict__["DATA"] = ""
    return {name: module for name, module in modules.items() if name not in sys.modules}


def _import_data_without_databases() -> None:
    """Import scapy.data with its constants and with empty databases."""
    spec = find_spec("scapy.data")
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    module.__dict__["open"] = _refuse_to_open
    stand_ins = _stand_ins()
    sys.modules.update(stand_ins)
    sys.modules["scapy.data"] = module
    try:
        spec.loader.exec_module(module)
        sys.modules["scapy"].__dict__["data"] = module
    except Exception:
        # Another scapy, which needs what was withheld: the caller's imports load it whole.
        del sys.modules["scapy.data"]
    finally:
        del module.__dict__["open"]
        for name in stand_ins:
            del sys.modules[name]


def _import_arch_without_interfaces() -> None:
    """Import scapy.arch, which lists the machine's interfaces when imported, without that."""
    import_module("scapy.interfaces")
    interfaces: Any = getattr(import_module("scapy.config").conf, "ifaces", None)
    if not hasattr(interfaces, "reload") or not hasattr(interfaces, "__dict__"):
        return
    interfaces.reload = lambda: None
    try:
        import_module("scapy.arch")
    finally:
        del interfaces.reload

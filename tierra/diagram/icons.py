"""Small drawings for the kinds of boxes: strokes on a field of 24 by 24, and the colour of their family."""

from __future__ import annotations

NETWORK, COMPUTE, DATA = "#6d3fc0", "#b8560a", "#2257b8"
STORAGE, SECURITY, WATCH, DELIVERY = "#33761f", "#b3242f", "#a8104f", "#3b48cc"

CYLINDER = "M4 6c0-5 16-5 16 0v12c0 5-16 5-16 0zM4 6c0 5 16 5 16 0"

ICONS = {
    "internet": (
        NETWORK,
        "M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20M2 12h20M12 2c-6 6-6 14 0 20M12 2c6 6 6 14 0 20",
    ),
    "waf": (SECURITY, "M12 2l9 3v7c0 5-4 8-9 10c-5-2-9-5-9-10V5zM8 12l3 3l5-6"),
    "dns": (NETWORK, "M3 4h18v5H3zM3 10h18v5H3zM3 16h18v5H3zM6 6.500h1M6 12.500h1M6 18.500h1"),
    "certificate": (SECURITY, "M5 11h14v10H5zM8 11V7a4 4 0 0 1 8 0v4M12 15v3"),
    "load_balancer": (
        NETWORK,
        "M12 9a3 3 0 1 0-.1 0M12 9v9M12 13l-7 5M12 13l7 5M3 18h4v4H3zM10 18h4v4h-4zM17 18h4v4h-4z",
    ),
    "nat": (NETWORK, "M3 4h12v16H3zM9 12h13M18 8l4 4l-4 4"),
    "endpoint": (NETWORK, "M2 12h7M15 12h7M12 7a5 5 0 1 0 0 10a5 5 0 1 0 0-10M12 11.500v1"),
    "kong": (COMPUTE, "M3 5h5l4 7l-4 7H3M21 5h-5l-4 7l4 7h5"),
    "platform": (
        COMPUTE,
        "M12 8a4 4 0 1 0 .1 0M12 2v4M12 18v4M2 12h4M18 12h4M5 5l3 3M16 16l3 3M19 5l-3 3M8 16l-3 3",
    ),
    "system": (COMPUTE, "M12 2l9 5v10l-9 5l-9-5V7zM12 12l9-5M12 12L3 7M12 12v10"),
    "nodes_of_zone": (COMPUTE, "M3 4h18v7H3zM3 13h18v7H3zM6 7.500h2M6 16.500h2M16 7.500h2M16 16.500h2"),
    "control_plane": (
        COMPUTE,
        "M12 4a8 8 0 1 0 0 16a8 8 0 1 0 0-16M12 9a3 3 0 1 0 0 6a3 3 0 1 0 0-6M12 1v8M12 15v8M1 12h8M15 12h8",
    ),
    "postgres": (DATA, CYLINDER + "M4 12c0 5 16 5 16 0"),
    "redis": (DATA, CYLINDER + "M13 9l-4 6h6l-4 5"),
    "documentdb": (DATA, CYLINDER + "M9 12l-2.500 3l2.500 3M15 12l2.500 3l-2.500 3"),
    "volume": (STORAGE, "M3 5h7l2 3h9v11H3zM3 11h18"),
    "bucket": (STORAGE, "M3 5h18l-3 16H6zM3 5c0-3 18-3 18 0M5 12h14"),
    "backup": (STORAGE, "M12 3a9 9 0 1 1-8.500 6M3 3v6h6M12 8v5l4 2"),
    "restore": (STORAGE, "M20 12a8 8 0 1 1-3-6.200M17 2v4h-4M8 12l3 3l5-6"),
    "secret": (SECURITY, "M4 10h16v11H4zM8 10V7a4 4 0 0 1 8 0v3M8 15.500h.010M12 15.500h.010M16 15.500h.010"),
    "own": (DELIVERY, "M8 6l-6 6l6 6M16 6l6 6l-6 6M14 4l-4 16"),
    "key": (SECURITY, "M8 6a5 5 0 1 0 0 10a5 5 0 1 0 0-10M13 11h9v4M18 11v3"),
    "alarm": (WATCH, "M5 17c2-2 2-5 2-8a5 5 0 0 1 10 0c0 3 0 6 2 8zM10 20a2 2 0 0 0 4 0M12 2v2"),
    "dashboard": (WATCH, "M3 3h18v18H3zM8 17v-5M12 17V7M16 17v-7"),
    "log": (WATCH, "M5 2h14v20H5zM8 7h8M8 11h8M8 15h5"),
    "flow": (WATCH, "M2 8h15M13 4l4 4l-4 4M22 16H7M11 12l-4 4l4 4"),
    "prometheus": (WATCH, "M12 2c1 4 6 6 6 11a6 6 0 0 1-12 0c0-3 2-4 2-7c2 1 3 2 4 4c1-2 1-5 0-8M7 22h10"),
    "grafana": (WATCH, "M3 3v18h18M6 16l4-5l4 3l6-8"),
    "trace": (WATCH, "M3 5h9M8 12h9M13 19h8M12 5v7M17 12v7"),
    "collector": (WATCH, "M3 4h18l-7 9v8l-4-2v-6z"),
    "rules": (WATCH, "M4 5l2 2l3-4M12 5h9M4 12l2 2l3-4M12 12h9M4 19l2 2l3-4M12 19h9"),
    "topic": (WATCH, "M3 5h18v14H3zM3 6l9 8l9-8"),
    "budget": (
        WATCH,
        "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18M15 9c-1-2-6-2-6 0.500s6 2 6 4.500s-5 2.500-6 0.500M12 6v12",
    ),
    "actions": (DELIVERY, "M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20M10 8l6 4l-6 4z"),
    "registry": (DELIVERY, "M2 8h20v11H2zM7 8v11M12 8v11M17 8v11M6 4h12"),
    "deployment": (DELIVERY, "M12 16V3M7 8l5-5l5 5M3 15v6h18v-6"),
    "health": (DELIVERY, "M2 12h5l2-6l4 12l3-8l1 2h5"),
}

# SPDX-License-Identifier: MIT
"""The document of a run as text: a pure function, so that a stored JSON file prints the same table again."""

MIB = 1024.0 * 1024.0
KIB = 1024.0
_FIGURES = (
    ("cpu_s", "CPU, user + system (none: least seconds; others: ratio)", 1.0, "%.2f s"),
    ("wall_s", "Wall time (none: least seconds; others: ratio)", 1.0, "%.2f s"),
    ("rss_bytes", "Peak RSS (none: least MiB; others: ratio)", MIB, "%.1f MiB"),
)


def table(rows):
    """Left-aligned first column, right-aligned others; rows are lists of strings of one length."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  ".join(cells).rstrip())
    return lines


def number(form, value):
    return "-" if value is None else form % value


def _ratio_cell(found):
    if found is None:
        return "-"
    return "%.2f (%.2f, %.2f..%.2f)" % (found["minima"], found["median"], found["low"], found["high"])


def _pair_cell(least, median):
    return "-" if least is None else "%.2f (%.2f)" % (least, median)


def head(document):
    machine, library = document["machine"], document["library"]
    lines = [
        "libtracemalloc bench, " + machine["date"],
        "machine  %d cores, %s, %d MiB, %s, %s, scratch %s" % (
            machine["cores"], machine["cpu"], machine["memory_mib"], machine["kernel"], machine["libc"],
            machine["scratch"]),
        "load     %.2f before, %.2f after (1 minute)" % (machine["load_before"], machine["load_after"]),
        "command  " + document["command"],
    ]
    if library:
        lines.append("library  %s (%d bytes, sha256 %s)" % (library["path"], library["bytes"], library["sha256"][:16]))
    lines.append("size     %s, %d %s; least RSS that can be read: %.1f MiB" % (
        document["size"], document["runs"], "runs together" if document.get("together") else "interleaved runs",
        document["floor_rss_bytes"] / MIB))
    lines.append("ratios   to 'none': of the minima (median of the paired runs, lowest..highest pair)")
    return lines


def _figure_table(part, figure, title, scale, form):
    configs = part["configs"]
    rows = [[title] + configs]
    for workload, cells in part["workloads"].items():
        row = [workload]
        for config in configs:
            if config == "none":
                values = cells.get("none", {}).get(figure)
                row.append(form % (min(values) / scale) if values else "failed")
            elif not cells.get(config, {}).get(figure):
                row.append("failed")
            else:
                row.append(_ratio_cell(part["comparison"][figure][config]["ratios"].get(workload)))
        rows.append(row)
    means, totals = ["geometric mean (of medians)"], ["total (of medians)"]
    for config in configs:
        found = part["comparison"][figure].get(config)
        short = " of %d" % found["workloads"] if found and found["workloads"] < len(part["workloads"]) else ""
        means.append(_pair_cell(found["geometric_mean"], found["geometric_mean_of_medians"]) + short if found else "")
        totals.append(_pair_cell(found["total"], found["total_of_medians"]) + short if found else "")
    rows.append(means)
    bounds = ["mean of the pairs (upper 95 % bound)"]
    for config in configs:
        found = part["comparison"][figure].get(config)
        bounds.append("%.3f (%s)" % (found["mean_of_pairs"], number("%.3f", found["upper_95"]))
                      if found and found.get("pairs") else "")
    rows.append(bounds)
    # A sum of peaks that were never there together says nothing.
    return table(rows + ([totals] if figure != "rss_bytes" else []))


def _disk_table(part):
    rows = [["Files left on disk, KiB (largest of the runs)"] + part["configs"]]
    for workload, cells in part["workloads"].items():
        values = [cells.get(config, {}).get("disk_bytes") for config in part["configs"]]
        rows.append([workload] + ["%.1f" % (max(value) / KIB) if value else "failed" for value in values])
    return table(rows)


def _startup_table(found):
    rows = [["Start-up", "", "runs", "wall ms least", "median", "CPU ms least", "median", "added wall", "added CPU"]]
    for name, cells in found.items():
        for config, figures in cells.items():
            wall, cpu = figures["wall_ms"], figures["cpu_ms"]
            rows.append([name, config, str(figures["runs"]), "%.2f" % wall["min"], "%.2f" % wall["median"],
                         "%.2f" % cpu["min"], "%.2f" % cpu["median"], number("%+.2f", figures.get("added_wall_ms")),
                         number("%+.2f", figures.get("added_cpu_ms"))])
    return table(rows)


def _capture_table(found):
    rows = [["Captures of the live heap", "file KiB", "report ms", "report RSS MiB"]]
    for config, figures in found.items():
        rows.append([config, "%.1f" % (figures["file_bytes"] / KIB), "%.0f" % (figures["report_s"] * 1000),
                     "%.1f" % (figures["report_rss_bytes"] / MIB)])
    return table(rows)


def _scaled(value, factor):
    return None if value is None else value * factor


def _live_table(found):
    rows = [["Live heap", "blocks", "RSS MiB", "fixed MiB", "bytes/block", "tracer says MiB", "snapshot ms", "to file ms",
             "file KiB", "report ms"]]
    for config, figures in found.items():
        take = figures["take_s"]["median"] if figures["take_s"] else None
        to_file = figures["to_file_s"]["median"] if figures["to_file_s"] else None
        rows.append([config, str(figures["blocks"]), "%.1f" % (figures["rss_bytes"] / MIB),
                     "%.2f" % (figures["fixed_bytes"] / MIB), "%.2f" % figures["bytes_per_block"],
                     number("%.2f", _scaled(figures["tracer_bytes"], 1 / MIB)), number("%.1f", _scaled(take, 1000)),
                     number("%.1f", _scaled(to_file, 1000)), number("%.1f", _scaled(figures["file_bytes"], 1 / KIB)),
                     number("%.1f", _scaled(figures["report_s"], 1000))])
    return table(rows)


def _instruction_table(found):
    configs = list(found["ratios"])
    rows = [["Instructions (%s, size %s): ratio (without start-up)" % (found["how"], found["size"]), "none, millions"]
            + configs]
    for name, counts in found["counts"].items():
        row = [name, "%.1f" % (counts["none"] / 1e6) if "none" in counts else "failed"]
        for config in configs:
            whole, net = found["ratios"][config].get(name, (None, None))
            row.append("failed" if whole is None else "%.3f" % whole + (" (%.3f)" % net if net is not None else ""))
        rows.append(row)
    rows.append(["geometric mean of the workloads", ""] +
                [_pair_cell(*found["geometric_mean"][config]) for config in configs])
    return table(rows)


def _events_table(found):
    names = list(dict.fromkeys(name for figures in found.values() for name in figures))
    rows = [["malloc + free without Python"] + names]
    for config, figures in found.items():
        cells = []
        for name in names:
            figure = figures.get(name)
            added = figure.get("added") if figure else None
            text = "-" if figure is None else "%.1f %s" % (figure["value"], figure["unit"])
            cells.append(text + (" (%+.1f)" % added if added is not None and config != "none" else ""))
        rows.append([config] + cells)
    return table(rows)


def _interpreter(part):
    found = part["interpreter"]
    lines = ["", "python %s  %s (%s)" % (found["version"], found["path"], found["build"])]
    lines += ["skipped  %s: %s" % pair for pair in part["skipped"].items()]
    lines += ["FAILED   " + fault for fault in part["faults"]]
    if part.get("workloads"):
        lines.append("rounds   %s" % part.get("rounds", "as asked for"))
        for figure, title, scale, form in _FIGURES:
            if figure not in part["comparison"]:
                continue
            lines += [""] + _figure_table(part, figure, title, scale, form)
        lines += [""] + _disk_table(part)
    for key, draw in (("startup", _startup_table), ("live_objects", _live_table), ("captures", _capture_table),
                      ("instructions", _instruction_table)):
        if part.get(key):
            lines += [""] + draw(part[key])
    return lines


def render(document):
    lines = head(document)
    for part in document["interpreters"]:
        lines += _interpreter(part)
    events = document.get("events")
    if events and events["least"]:
        lines += [""] + _events_table(events["least"])
    if events:
        lines += ["FAILED   malloc + free, %s: %s" % pair for pair in events["faults"].items()]
    if document.get("remarks"):
        lines += [""] + document["remarks"]
    return "\n".join(lines) + "\n"

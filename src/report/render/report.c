/* SPDX-License-Identifier: MIT */
#include "report/render/report.h"

#include "report/snapshot/snapshot_identity.h"
#include "report/snapshot/snapshot_totals.h"

static bool has_peak_figures(const struct tm_snapshot *snapshot, enum tm_figure figure)
{
    for (size_t i = 0; i < snapshot->counter_count; i++) {
        if (tm_figure_amount(&snapshot->counters[i], figure).size > 0) {
            return true;
        }
    }
    return false;
}

bool tm_report_prefers_peak(const struct tm_snapshot *snapshot, uint32_t domains)
{
    enum tm_figure figure = tm_report_peak_figure(domains);
    struct tm_traced traced =
        figure == TM_FIGURE_PEAK_PYTHON ? tm_snapshot_traced_python(snapshot) : tm_snapshot_traced_heap(snapshot);
    struct tm_span moment = tm_snapshot_bytes(snapshot, "moment");
    bool at_exit = tm_span_is(moment, "exit") || tm_span_is(moment, "_exit");
    return at_exit && traced.peak / 3 > traced.current / 2 && has_peak_figures(snapshot, figure);
}

struct tm_source_cache tm_report_source_cache(const struct tm_report *report)
{
    const struct tm_snapshot *snapshot = tm_report_snapshot(report);
    return (struct tm_source_cache){.roots = report->sources.roots,
                                    .root_count = report->sources.root_count,
                                    .taken_ns = tm_snapshot_time_ns(snapshot),
                                    .folder = tm_snapshot_bytes(snapshot, "cwd")};
}

size_t tm_report_frames_shown(const struct tm_report *report, size_t count, size_t *first)
{
    long limit = report->frames.limit;
    size_t wanted = limit < 0 ? 0 - (size_t)limit : (size_t)limit;
    size_t shown = wanted == 0 || wanted > count ? count : wanted;
    *first = limit > 0 ? count - shown : 0;
    return shown;
}

/* SPDX-License-Identifier: MIT */
#include "tools/tm-report/unmatched.h"

#include <stdio.h>

#include "report/render/location_text.h"
#include "report/stat/nearest_name.h"

static void say(const struct tm_filter *filter, const struct tm_nearest *nearest)
{
    const char *option = filter->by_function ? "--function" : filter->all_frames ? "-I" : "-i";
    const char *text = filter->text;
    struct tm_out out = {stderr, 0};
    tm_out_format(&out, "tm-report: no trace passes the filters: %s '%s' ", option, text);
    switch (nearest->nearness) {
    case TM_NEAR_OLDER:
        tm_out_format(&out, "matches older frames only, as ");
        tm_print_text(&out, nearest->name);
        tm_out_text(&out, filter->by_function ? "" : "; -I looks at all frames");
        break;
    case TM_NEAR_LINE:
        tm_out_text(&out, "matches ");
        tm_print_text(&out, nearest->name);
        tm_out_text(&out, ", but no trace is of that line");
        break;
    case TM_NEAR_END:
        tm_out_format(&out, "must match the whole file name; '*/%s' matches ", text);
        tm_print_text(&out, nearest->name);
        break;
    case TM_NEAR_PART:
        tm_out_format(&out, "must match the whole name; '*%.*s*' matches ", (int)filter->text_length, text);
        tm_print_text(&out, nearest->name);
        break;
    case TM_NEAR_SPELLING:
        tm_out_text(&out, "matches nothing; the nearest name is ");
        tm_print_text(&out, nearest->name);
        break;
    default:
        tm_out_text(&out, "matches nothing");
        break;
    }
    tm_out_text(&out, "\n");
    (void)tm_out_flush(&out);
}

/* The first filter that is wrong by itself is told of; else it is what they say together. */
void tm_say_unmatched(const struct tm_options *options, const struct tm_report *report)
{
    if (options->filter_count == 0 || report->total.count != 0 || report->old_total.count != 0) {
        return;
    }
    for (size_t i = 0; i < options->filter_count; i++) {
        const struct tm_filter *filter = &options->filters[i];
        if (filter->inclusive) {
            struct tm_nearest nearest = tm_nearest_name(report->forest, filter);
            if (nearest.nearness != TM_NEAR_ITSELF) {
                say(filter, &nearest);
                return;
            }
        }
    }
    (void)fputs("tm-report: no trace passes the filters, or all that do are of other domains (--domain) or other "
                "figures (--figure)\n",
                stderr);
}

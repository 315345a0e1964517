/* SPDX-License-Identifier: MIT */
#include "tools/tm-report/option_groups.h"

const struct tm_option_group *const tm_option_groups[] = {&tm_grouping_options,
                                                          &tm_block_options,
                                                          &tm_limit_options,
                                                          &tm_order_options,
                                                          &tm_figure_options,
                                                          &tm_filter_options,
                                                          &tm_fork_options,
                                                          &tm_style_options,
                                                          &tm_look_options,
                                                          &tm_column_options,
                                                          &tm_format_options,
                                                          &tm_to_options,
                                                          &tm_source_options,
                                                          &tm_symbol_options,
                                                          &tm_frame_options,
                                                          &tm_limits_options,
                                                          &tm_growth_options,
                                                          &tm_common_options,
                                                          NULL};

# SPDX-License-Identifier: MIT
"""Arithmetic of readings: pure functions, no input and no output.

A ratio by minima divides the least reading by the least reading: least noise.  A paired ratio divides readings of the
same round: its median and its range show how much the machine varied.
"""
import math
import statistics


def ratio(ours, base):
    """Both are lists with one figure for each round, in the order of the rounds.  None where there is no base."""
    if not ours or not base or min(base) <= 0:
        return None
    pairs = [o / b for o, b in zip(ours, base) if b > 0]
    return {"minima": min(ours) / min(base), "median": statistics.median(pairs), "low": min(pairs), "high": max(pairs)}


def geometric_mean(values):
    if not values or min(values) <= 0:
        return None
    return math.exp(sum(map(math.log, values)) / len(values))


def summary(values):
    return {"min": min(values), "median": statistics.median(values), "max": max(values)} if values else None


# Student's t for one side and 95 %, by degrees of freedom from 1 on; for more than there are here the last is safe.
_STUDENT_95 = (6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812, 1.796, 1.782, 1.771, 1.761, 1.753,
               1.746, 1.740, 1.734, 1.729, 1.725, 1.721, 1.717, 1.714, 1.711, 1.708, 1.706, 1.703, 1.701, 1.699, 1.697)


def upper_bound(values):
    """Where the mean of which these are a sample lies below, with 95 % confidence.  None for fewer than two."""
    if len(values) < 2:
        return None
    student = _STUDENT_95[min(len(values) - 1, len(_STUDENT_95)) - 1]
    return statistics.mean(values) + student * statistics.stdev(values) / math.sqrt(len(values))


def _quotient(ours, base):
    return ours / base if base > 0 else 0


def round_means(series, base_series, names):
    """For each round the geometric mean of the ratios of all workloads that were read in every round."""
    rounds = max([len(base_series[name]) for name in names] or [0])
    whole = [name for name in names if len(series[name]) == len(base_series[name]) == rounds]
    return [geometric_mean([_quotient(series[name][i], base_series[name][i]) for name in whole]) for i in range(rounds) if whole]


def comparison(series, base_series):
    """Both map a workload's name to its figures; workloads that one of them lacks are left out of both sums."""
    shared = [name for name in base_series if base_series[name] and series.get(name)]
    ratios = {name: ratio(series[name], base_series[name]) for name in shared}
    known = {name: value for name, value in ratios.items() if value is not None}
    base_sum = sum(min(base_series[name]) for name in known)
    base_median_sum = sum(statistics.median(base_series[name]) for name in known)
    rounds = [mean for mean in round_means(series, base_series, list(known)) if mean is not None]
    return {
        "pairs": len(rounds),
        "mean_of_pairs": statistics.mean(rounds) if rounds else None,
        "upper_95": upper_bound(rounds),
        "ratios": known,
        "workloads": len(known),
        "geometric_mean": geometric_mean([value["minima"] for value in known.values()]),
        "geometric_mean_of_medians": geometric_mean([value["median"] for value in known.values()]),
        "total": sum(min(series[name]) for name in known) / base_sum if base_sum else None,
        "total_of_medians":
            sum(statistics.median(series[name]) for name in known) / base_median_sum if base_median_sum else None,
    }

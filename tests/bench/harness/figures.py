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


def comparison(series, base_series):
    """Both map a workload's name to its figures; workloads that one of them lacks are left out of both sums."""
    shared = [name for name in base_series if base_series[name] and series.get(name)]
    ratios = {name: ratio(series[name], base_series[name]) for name in shared}
    known = {name: value for name, value in ratios.items() if value is not None}
    base_sum = sum(min(base_series[name]) for name in known)
    base_median_sum = sum(statistics.median(base_series[name]) for name in known)
    return {
        "ratios": known,
        "workloads": len(known),
        "geometric_mean": geometric_mean([value["minima"] for value in known.values()]),
        "geometric_mean_of_medians": geometric_mean([value["median"] for value in known.values()]),
        "total": sum(min(series[name]) for name in known) / base_sum if base_sum else None,
        "total_of_medians":
            sum(statistics.median(series[name]) for name in known) / base_median_sum if base_median_sum else None,
    }

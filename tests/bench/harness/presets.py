# SPDX-License-Identifier: MIT
"""Sets of options that have a name.  What is given beside --preset counts more."""

_CLASSIC = "w1,w2,w3,w4,w5,w6,w7,w8"
_SAMPLED = "us1:SAMPLE=512KiB"
_NATIVE = "us25:NATIVE=native"

PRESETS = {
    # The table of the README, within ten minutes.
    "readme": {
        "configs": ",".join(["none", "us1", "us25", _SAMPLED, _NATIVE, "stdlib1", "memray", "memray-allocators",
                             "heaptrack"]),
        "workloads": _CLASSIC, "parts": "workloads", "runs": 5, "minutes": 10,
    },
    # Ours beside no tracing and each other, in nine minutes: medians and means of what ran at the same time.
    "ours": {
        "configs": ",".join(["none", "us1", "us25", "us25:WATERMARK=1", _SAMPLED]),
        "workloads": _CLASSIC, "parts": "workloads", "runs": 16, "together": True,
    },
    # Enough pairs to say what sampling costs at most.
    "sampled": {"configs": "none," + _SAMPLED, "workloads": _CLASSIC, "parts": "workloads", "runs": 30,
                "together": True},
    # The programs that people write.
    "real": {
        "configs": ",".join(["none", "us1", "us25", _SAMPLED, _NATIVE, "stdlib1", "memray-allocators"]),
        "workloads": "r,w9", "parts": "workloads", "runs": 5, "minutes": 10,
    },
    # Every way of tracing, every workload, all parts: hours.
    "all": {
        "instructions": True,
        "configs": ",".join(["none", "us1", "us5", "us25", "us200", "us25:WATERMARK=1", "us1:NATIVE=native", _NATIVE,
                             "us25:NATIVE=1", _SAMPLED, "stdlib1", "stdlib5", "stdlib25", "heaptrack", "memray",
                             "memray-native", "memray-allocators", "memray-aggregate"]),
    },
}


def fill(request):
    """Sets what was not given to what the preset says."""
    for name, value in PRESETS[request.preset].items():
        if getattr(request, name) is None:
            setattr(request, name, value)

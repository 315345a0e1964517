# SPDX-License-Identifier: MIT
"""For pytest: 60 tests, one fails and one is skipped."""
import pytest

kept = []


@pytest.mark.parametrize("number", range(60))
def test_number(number):
    kept.append([b"x" * 20000 + b"y" for _ in range(50)])  # top
    if number == 13:
        pytest.skip("thirteen")
    assert number != 42, "the answer"

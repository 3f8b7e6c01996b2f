"""The tools of this suite against independent ones: a count that cannot fail proves nothing."""

import pytest

import sequence


@pytest.mark.parametrize("signal", ["logs", "traces", "metrics"])
def test_the_load_is_what_it_says(signal):
    numbers = range(7_000_000_123, 7_000_000_143)
    body = sequence.Writer(signal, padding=200).request(numbers)
    assert sequence.numbers(body) == list(numbers)
    assert sequence.total(signal, body) == len(numbers)

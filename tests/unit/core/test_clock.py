"""Times are text and back without the standard library's calendar: it says what is right here."""

from datetime import UTC, datetime

import pytest

from seawall.core.clock import format_time, parse_time


@pytest.mark.parametrize("seconds", [0.0, 951782399.999, 951782400.0, 1732377600.123, 4107542399.5, 9999999999.25])
def test_a_time_is_the_calendars(seconds):
    moment = datetime.fromtimestamp(seconds, UTC)
    text = format_time(seconds)
    assert text == f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
    assert parse_time(text) == pytest.approx(seconds, abs=0.001)


def test_every_day_of_eight_hundred_years():
    day = datetime(1600, 1, 1, tzinfo=UTC).timestamp()
    while day < datetime(2400, 1, 2, tzinfo=UTC).timestamp():
        assert parse_time(format_time(day)) == day
        day += 86400


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2024-11-23T18:00:00+02:00", "2024-11-23T16:00:00Z"),
        ("2024-11-23T16:00:00.123456789Z", "2024-11-23T16:00:00.123456Z"),
        (" 2024-02-29T00:00:00Z ", "2024-02-29T00:00:00.000Z"),
    ],
)
def test_offsets_and_nanoseconds(text, same):
    assert parse_time(text) == parse_time(same)


@pytest.mark.parametrize("text", ["", "now", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError):
        parse_time(text)

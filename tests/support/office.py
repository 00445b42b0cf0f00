"""The opening hours of an office in Berlin, and a Monday morning there, for tests of agreed times."""

from datetime import UTC, datetime

MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # 09:00 in Berlin
OFFICE = {
    "time_zone": "Europe/Berlin",
    "days": [{"day": day, "opens": "09:00", "closes": "17:00"} for day in ("mon", "tue", "wed", "thu", "fri")],
    "business_time": True,
}

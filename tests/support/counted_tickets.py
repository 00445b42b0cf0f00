"""The figures of statistics, counted in Python from the rows of tickets."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from statistics import median
from zoneinfo import ZoneInfo

from core import models, timestamps

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)


def by_hand(rows, *, start="", end="", team="", agent="", zone="UTC", now=NOW):
    """The same figures, ticket by ticket."""

    def of_period(start, end):
        return [
            row
            for row in rows
            if start <= row["created_at"] < (end or "~")
            and row["assigned_team"] == (team or row["assigned_team"])
            and row["assigned_to"] == (agent or row["assigned_to"])
        ]

    chosen = of_period(start, end)
    teams = [*models.TEAMS, *sorted({row["assigned_team"] for row in chosen} - set(models.TEAMS))]
    last = timestamps.moment(end) - timedelta(milliseconds=1) if end else now
    days = [(last - timedelta(days=ago)).date().isoformat() for ago in range(29, -1, -1)]
    figures = numbers(chosen) | {
        "by_status": table(chosen, "status", models.STATUSES),
        "by_priority": table(chosen, "priority", models.PRIORITIES),
        "by_category": table(chosen, "category", models.CATEGORIES),
        "by_team": table(chosen, "assigned_team", teams),
        "by_sentiment": table(chosen, "sentiment", models.SENTIMENTS),
        "by_source": table(chosen, "source", models.SOURCES),
        "by_tier": table(chosen, "customer_tier", models.TIERS),
        "created_per_day": table(chosen, "created_at", days),
        "resolved_per_day": table(chosen, "resolved_at", days),
        "sla_by_week": weeks(chosen, last),
        "changes": [],
        "backlog_by_age": ages([row for row in chosen if row["status"] not in models.FINISHED], now),
        "by_hour": hours(chosen, zone),
        "by_topic": words(Counter(row["topic"] for row in chosen if row["topic"])),
        "by_tag": words(Counter(tag for row in chosen for tag in set(row["tags"]))),
        "agents": [share(chosen, agent) for agent in sorted({row["assigned_to"] for row in chosen} - {""})],
    }
    if start:
        length = (timestamps.moment(end) if end else now) - timestamps.moment(start)
        figures["previous"] = numbers(of_period(timestamps.stamp(timestamps.moment(start) - length), start))
        figures["changes"] = changes(numbers(chosen), figures["previous"])
    return figures


def changes(now, before):
    both = {name: (now[name], before[name]) for name in now if name in before}
    rows = {}
    for name, (value, earlier) in both.items():
        row = {"key": name, "label": models.label(name), "value": value, "previous": earlier}
        row["change"] = round(value - earlier, 2)
        rows[name] = row | ({"change_percent": round(100 * (value - earlier) / earlier, 1)} if earlier else {})
    return sorted(rows.values(), key=lambda row: row["key"])


def weeks(rows, last):
    monday = (last - timedelta(days=last.weekday())).date()
    figures = []
    for ago in range(11, -1, -1):
        first, end = (monday + timedelta(days=days - 7 * ago) for days in (0, 7))
        theirs = [row for row in rows if first.isoformat() <= row["created_at"][:10] < end.isoformat()]
        met, breached = (sum(row["sla_status"] == word for row in theirs) for word in ("met", "breached"))
        row = {"key": first.isoformat(), "label": first.isoformat(), "met": met, "breached": breached}
        share = outcomes(theirs).get("sla_met_percent")
        figures.append(row if share is None else row | {"sla_met_percent": share})
    return figures


def numbers(rows):
    """The single numbers of some tickets."""
    status = Counter(row["status"] for row in rows)
    finished = [row for row in rows if row["status"] in models.FINISHED]
    by_ai = [row for row in finished if row["ai_response"] and not row["human_replied"]]
    confirmed = [
        row for row in by_ai if (row["csat_score"] >= 4 if row["csat_score"] is not None else row["closed_by_customer"])
    ]
    handed = [row for row in rows if row["ai_response"] and (row["human_replied"] or row["handed_over"])]
    figures = {
        "total_tickets": len(rows),
        "new_tickets": status["new"],
        "ai_responded_tickets": status["ai_responded"],
        "assigned_tickets": status["assigned"],
        "resolved_tickets": status["resolved"],
        "ai_resolution_rate": tenths(Fraction(100 * len(by_ai), len(finished))) if finished else 0.0,
        "open_tickets": len(rows) - len(finished),
        "backlog": len(rows) - len(finished),
        **middle(rows, "first_response_seconds"),
        **middle(rows, "resolution_seconds"),
        **ninetieth(rows, "first_response_seconds"),
        **ninetieth(rows, "resolution_seconds"),
        **outcomes(rows),
        "ai_confirmed": len(confirmed),
        "ai_assumed": sum(row["csat_score"] is None and not row["closed_by_customer"] for row in by_ai),
        "ai_handed_over": len(handed),
        "ai_reopened": sum(row["reopened_after_ai"] for row in rows),
    }
    if rows:
        figures["average_urgency"] = tenths(Fraction(sum(round(row["urgency"] * 10) for row in rows), 10 * len(rows)))
    return figures


def outcomes(rows):
    met, breached = (sum(row["sla_status"] == word for row in rows) for word in ("met", "breached"))
    scores = [row["csat_score"] for row in rows if row["csat_score"] is not None]
    figures = {"csat_count": len(scores)}
    if scores:
        figures["csat_average"] = int(Fraction(100 * sum(scores), len(scores)) + Fraction(1, 2)) / 100
    if met + breached:
        figures["sla_met_percent"] = tenths(Fraction(100 * met, met + breached))
    return figures


def ages(rows, now):
    found = Counter()
    for row in rows:
        age = (now.date() - timestamps.moment(row["created_at"]).date()).days
        bounds = {"today": 1, "1_to_2_days": 3, "3_to_6_days": 7, "7_to_29_days": 30, "30_days_or_more": 10**9}
        found[next(key for key, end in bounds.items() if age < end)] += 1
    return [{"key": key, "label": models.label(key), "count": found[key]} for key in bounds_of_ages()]


def bounds_of_ages():
    return ("today", "1_to_2_days", "3_to_6_days", "7_to_29_days", "30_days_or_more")


def hours(rows, zone):
    local = [timestamps.moment(row["created_at"]).astimezone(ZoneInfo(zone)) for row in rows]
    found = Counter(f"{moment:%a}-{moment:%H}".lower() for moment in local)
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return [
        {"key": key, "label": f"{key[:3].capitalize()} {key[4:]}:00", "count": found[key]}
        for key in (f"{day}-{hour:02}" for day in days for hour in range(24))
    ]


def words(found):
    most = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:50]
    return [{"key": word, "label": word, "count": count} for word, count in most]


def table(rows, column, keys):
    values = [str(row[column])[:10] if column.endswith("_at") else row[column] for row in rows]
    return [{"key": key, "label": models.label(key), "count": values.count(key)} for key in keys]


def share(rows, agent):
    theirs = [row for row in rows if row["assigned_to"] == agent]
    resolved = sum(row["status"] in models.FINISHED for row in theirs)
    return {
        "agent": agent,
        "open": len(theirs) - resolved,
        "resolved": resolved,
        "replies": sum(row["agent_replies"] for row in theirs),
        **middle(theirs, "first_response_seconds"),
        **middle(theirs, "resolution_seconds"),
        **outcomes(theirs),
    }


def middle(rows, column):
    values = [Fraction(row[column]) for row in rows if row[column] is not None]
    return {f"{column}_median": int(median(values) + Fraction(1, 2))} if values else {}


def ninetieth(rows, column):
    """The smallest value that at least 90 percent of the values do not exceed."""
    values = sorted(row[column] for row in rows if row[column] is not None)
    reached = [value for value in values if 10 * sum(other <= value for other in values) >= 9 * len(values)]
    return {f"{column}_p90": reached[0]} if reached else {}


def tenths(value):
    """Rounded to one decimal, halves up."""
    return int(value * 10 + Fraction(1, 2)) / 10

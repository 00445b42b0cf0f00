"""The figures of the dashboard as a CSV file."""

import csv
import io

import pytest

from services.import_export.csv_cells import FORMULA_STARTS

EVIL = ("=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "'=1", "\uff1d1")


def rows_of(answer):
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


def export(caller, query=""):
    return rows_of(caller.client.get(f"/api/stats/export{query}", headers={"X-API-Key": caller.key}))


def test_the_file_has_every_number_of_the_stats(admin, agent):
    ticket = admin.ticket(tags=["vip"], assigned_to="ben@example.com")
    admin.ticket()
    query = f"?from={ticket['created_at']}&agent=ben@example.com"
    figures, rows = agent.data(agent.get(f"/api/stats{query}")), export(agent, query)
    assert list(rows[0]) == ["figure", "key", "label", "value", "previous"]
    values = {(row["figure"], row["key"]): row["value"] for row in rows}
    for name, figure in figures.items():
        if isinstance(figure, int | float):
            assert values[name, ""] == str(figure)
        elif name == "sla_by_week":
            assert [values["sla_by_week.met", row["key"]] for row in figure] == [str(row["met"]) for row in figure]
        elif name not in ("agents", "previous", "changes"):
            assert [values[name, row["key"]] for row in figure] == [str(row["count"]) for row in figure]
    assert values["agents.open", "ben@example.com"] == "1"
    before = {row["figure"]: row["previous"] for row in rows}
    assert before["total_tickets"] == str(figures["previous"]["total_tickets"])
    other = ("agents", "sla_by_week", "changes", "previous")
    single = sum(len(one) if isinstance(one, list) else 1 for name, one in figures.items() if name not in other)
    several = sum(len(row) - 1 for row in figures["agents"]) + sum(len(row) - 2 for row in figures["sla_by_week"])
    assert len(rows) == single + several


@pytest.mark.every_engine
def test_case_33_no_cell_of_the_stats_is_read_as_a_formula(admin):
    for text in EVIL:
        admin.ticket(tags=[text], assigned_to=text)
    rows = export(admin)
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(FORMULA_STARTS)]
    agents = {row["key"] for row in rows if row["figure"] == "agents.open"}
    assert "'=HYPERLINK(1)" in agents
    assert {row["key"].lower() for row in rows if row["figure"] == "by_tag"} == {agent.lower() for agent in agents}


def test_the_filters_of_the_file_are_checked(admin):
    refused = admin.get("/api/stats/export?from=yesterday")
    assert (refused.status_code, refused.json["data"]["errors"][0]["field"]) == (400, "from")


def test_customers_may_not_export_statistics(customer):
    assert customer.get("/api/stats/export").status_code == 403

"""Import files as programs write them: what is read, what is left out and named, what is refused."""

import io

import orjson
import pytest


def send(admin, data, media="text/csv", query=""):
    data = data.encode() if isinstance(data, str) else data
    return admin.data(admin.post(f"/api/import{query}", data=data, content_type=media))


def tickets(admin):
    return admin.data(admin.get("/api/tickets?sort=created_at"))


ROW = "title,description,customer_id\nLamp,It is dark,C-1\n"
FILES = {
    "plain": (ROW, "text/csv", "Lamp"),
    "sep line of Excel": ("sep=;\ntitle;description;customer_id\nLamp, red;It is dark;C-1\n", "text/csv", "Lamp, red"),
    "sep line in quotes": ('"sep=|"\r\ntitle|description|customer_id\r\nLamp|It is dark|C-1\r\n', "text/csv", "Lamp"),
    "pipes": ("title|description|customer_id\nLamp|It is dark|C-1\n", "text/csv", "Lamp"),
    "Windows-1251": (ROW.replace("Lamp", "Лампа").encode("cp1251"), "text/csv; charset=windows-1251", "Лампа"),
    "Shift_JIS": (ROW.replace("Lamp", "ランプ").encode("shift_jis"), "text/csv; charset=Shift_JIS", "ランプ"),
    "Latin-1 that is Windows-1252": (
        ROW.replace("Lamp", "€ “x”").encode("cp1252"),
        "text/csv; charset=iso-8859-1",
        "€ “x”",
    ),
    "Shift_JIS of Windows": (ROW.replace("Lamp", "①㈱髙").encode("cp932"), "text/csv; charset=shift_jis", "①㈱髙"),
    "ISO-2022-JP": (ROW.replace("Lamp", "テスト").encode("iso2022_jp"), "text/csv; charset=iso-2022-jp", "テスト"),
    "UTF-16 without a mark": (ROW.replace("Lamp", "Лампа").encode("utf-16-le"), "text/csv; charset=utf-16le", "Лампа"),
    "capitals with accents": (ROW.replace("Lamp", "ÁÉÍÓÚ").encode("cp1252"), "text/csv", "ÁÉÍÓÚ"),
    "UTF-8 that says Windows-1252": (ROW.replace("Lamp", "Lämp").encode(), "text/csv; charset=windows-1252", "Lämp"),
    "CSV of unknown type": (ROW, "application/octet-stream", "Lamp"),
    "CSV as plain text": (ROW, "text/plain", "Lamp"),
    "JSON of unknown type": (
        '[{"title": "Lamp", "description": "d", "customer_id": 7}]',
        "application/octet-stream",
        "Lamp",
    ),
    "JSON Lines": ('{"title": "Lamp", "description": "d", "customer_id": "1"}\n\n', "application/x-ndjson", "Lamp"),
    "JSON Lines that say JSON": (
        '{"title": "Lamp", "description": "d", "customer_id": "1"}\n{"x": 1}\n',
        "application/json",
        "Lamp",
    ),
    "JSON Lines of unknown type": (
        '\ufeff{"title": "Lamp", "description": "d", "customer_id": "1"}\n{"x": 1}\n',
        "",
        "Lamp",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read_as_its_program_wrote_it(admin, name):
    data, media, title = FILES[name]
    send(admin, data, media)
    assert [ticket["title"] for ticket in tickets(admin)] == [title]


def test_a_charset_that_is_not_known_is_refused_by_name(admin):
    response = admin.post(
        "/api/import", data=ROW.encode("cp1252") + b"\xe9,x,y\n", content_type="text/csv; charset=klingon"
    )
    assert (response.status_code, "klingon" in response.json["message"]) == (400, True)


@pytest.mark.parametrize(
    "written", ['["a","b c"]', "['a', 'b c']", "{a,b c}", '{a,"b c"}', "a; b c", "a|b c", '["a", "b c", "a"]']
)
def test_tags_are_read_in_every_notation(admin, written):
    cell = '"' + written.replace('"', '""') + '"'
    send(admin, f"title,description,customer_id,tags\nLamp,d,1,{cell}\n")
    assert tickets(admin)[0]["tags"] == ["a", "b c"]


UTC_TIMES = ("2026-01-31 08:00:00 UTC", "2026-01-31 09:00+01", "2026-01-31T08:00:00+00", "2026-01-31 08:00 GMT")


@pytest.mark.parametrize("written", UTC_TIMES)
def test_times_are_read_with_every_mark_of_a_zone(admin, written):
    send(admin, f"title,description,customer_id,created_at\nLamp,d,1,{written}\n")
    assert tickets(admin)[0]["created_at"] == "2026-01-31T08:00:00.000Z"


STATES = {
    "solved": "resolved",
    "Pending": "waiting_customer",
    "hold": "in_progress",
    "On-hold": "in_progress",
    "Done": "resolved",
}
PRIORITIES = {"normal": "medium", "critical": "urgent", "Highest": "urgent", "minor": "low", "P2": "high"}


@pytest.mark.parametrize(("word", "status"), STATES.items())
def test_states_of_other_help_desks_are_understood(admin, word, status):
    send(admin, f"title,description,customer_id,status\nLamp,d,1,{word}\n")
    assert tickets(admin)[0]["status"] == status


@pytest.mark.parametrize(("word", "priority"), PRIORITIES.items())
def test_priorities_of_other_help_desks_are_understood(admin, word, priority):
    send(admin, f"title,description,customer_id,priority\nLamp,d,1,{word}\n")
    assert tickets(admin)[0]["priority"] == priority


def test_a_column_without_a_name_is_left_out_and_named(admin):
    result = send(admin, ",title,description,customer_id\n0,Lamp,d,1\n1,Desk,d,1\n")
    assert (result["created"], result["errors"], result["ignored"]) == (2, [], ["column 1 (without a name)"])
    assert send(admin, "title,description,customer_id,,\nChair,d,1,,\n")["ignored"] == []


@pytest.mark.every_engine
def test_any_csv_comes_in_with_map_and_ignore_unknown(admin):
    text = "Ticket ID,Subject,Body,Requester,Channel,Тема\n17,Lamp,It is dark,ada@example.com,Web form,x\n"
    query = "?ignore_unknown=true&map=Body:description,Requester:customer_email,Ticket%20ID:external_id,Тема:product"
    result = send(admin, text, query=query)
    assert (result["created"], result["ignored"]) == (1, ["Channel"])
    (ticket,) = tickets(admin)
    expected = ("Lamp", "It is dark", "ada@example.com", "17", "x")
    assert (
        tuple(ticket[name] for name in ("title", "description", "customer_email", "external_id", "product")) == expected
    )


def test_unknown_columns_are_refused_with_what_would_be_taken(admin):
    response = admin.post("/api/import", data="title,description,Channel\na,b,c\n", content_type="text/csv")
    (error,) = response.json["data"]["errors"]
    assert (response.status_code, error["field"]) == (400, "Channel")
    assert "ignore_unknown" in error["message"]


def test_a_guessed_charset_is_named(admin):
    data = ROW.replace("Lamp", "Lämp").encode("cp1252")
    response = admin.post("/api/import", data=data, content_type="text/csv")
    assert tickets(admin)[0]["title"] == "Lämp"
    assert "read as Windows-1252" in response.json["message"]
    assert "read as" not in admin.post("/api/import", data=ROW, content_type="text/csv").json["message"]


@pytest.mark.parametrize(("charset", "word"), [("cp1251", "Лампа"), ("iso8859-7", "Λάμπα"), ("gb18030", "台灯坏了")])
def test_bytes_of_another_alphabet_need_a_charset(admin, charset, word):
    data = ROW.replace("Lamp", word).encode(charset)
    response = admin.post("/api/import", data=data, content_type="text/csv")
    assert (response.status_code, "charset=windows-1251" in response.json["message"]) == (400, True)
    send(admin, data, f"text/csv; charset={charset}")
    assert [ticket["title"] for ticket in tickets(admin)] == [word]


def test_a_map_of_an_absent_column_is_told(admin):
    response = admin.post("/api/import?map=Subject:title", data=ROW, content_type="text/csv")
    assert response.json["data"]["errors"] == [{"field": "map", "message": "The file has no column subject."}]
    assert tickets(admin) == []
    rows = [{"title": "Lamp", "description": "d", "customer_id": "1"}]
    response = admin.post("/api/import?map=Subject:title", rows)
    assert "map names subject, which no ticket" in response.json["message"]


def test_a_name_that_stands_twice_refuses_the_ticket(admin):
    twice = '{"title": "One", "description": "d", "customer_id": "1", "title": "Two"}'
    once = '{"title": "Lamp", "description": "d", "customer_id": "1"}'
    result = send(admin, f"[{twice}, {once}]", "application/json")
    assert [(error["line"], error["field"]) for error in result["errors"]] == [(1, "title")]
    assert [ticket["title"] for ticket in tickets(admin)] == ["Lamp"]


@pytest.mark.parametrize("pairs", ["Subject", "Subject:", ":title", "Subject:nothing"])
def test_a_map_that_names_no_field_is_refused(admin, pairs):
    response = admin.post(f"/api/import?map={pairs}", data=ROW, content_type="text/csv")
    assert (response.status_code, response.json["data"]["errors"][0]["field"]) == (400, "map")


def test_a_part_of_a_form_without_a_file_name_is_a_file(admin):
    response = admin.post("/api/import", data={"file": ROW}, content_type="multipart/form-data")
    assert admin.data(response)["created"] == 1


@pytest.mark.parametrize(
    ("name", "text"), [("m.jsonl", '{"title": "a", "description": "b", "customer_id": 1}\n'), ("m", ROW)]
)
def test_a_part_of_a_form_is_read_by_its_name_or_content(admin, name, text):
    data = {"file": (io.BytesIO(text.encode()), name)}
    assert admin.data(admin.post("/api/import", data=data, content_type="multipart/form-data"))["created"] == 1


@pytest.mark.every_engine
def test_json_lines_name_the_line_that_cannot_be_read(admin):
    good = orjson.dumps({"title": "a", "description": "b", "customer_id": "1"})
    result = send(admin, good + b"\n{broken\n\n[1]\n", "application/x-ndjson")
    assert (result["created"], [error["line"] for error in result["errors"]]) == (1, [2, 4])


@pytest.mark.every_engine
@pytest.mark.parametrize("form", ["json", "csv"])
def test_our_own_export_comes_in_again_once(admin, other_admin, form):
    ticket = admin.ticket(title="=SUM(A1)", description="'-quoted", tags=["a", "b"], external_id="")
    admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "+1 done"})
    export = admin.client.get(f"/api/export?format={form}", headers={"X-API-Key": admin.key})
    media = export.headers["Content-Type"]
    assert send(admin, export.get_data(), media)["skipped"] == 1
    for created in (1, 0):
        result = send(other_admin, export.get_data(), media)
        assert (result["created"], result["skipped"], result["errors"]) == (created, 1 - created, [])
        assert {"ai_response", "number"} <= set(result["ignored"])
    (copy,) = tickets(other_admin)
    for name in ("title", "description", "tags", "resolution", "status", "created_at", "resolved_at", "customer_email"):
        assert copy[name] == admin.data(admin.get(f"/api/tickets/{ticket['id']}"))[name]

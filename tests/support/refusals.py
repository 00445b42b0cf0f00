"""The check of a refusal: status, code and the fields named."""


def refused(response, status, code, *fields):
    """Checks status, code and the fields named, each with a message of its own; gives the errors."""
    assert response.status_code == status, response.get_data(as_text=True)
    data = response.json["data"]
    assert data["code"] == code, data
    assert sorted({error["field"] for error in data["errors"]}) == sorted(fields), data
    assert all(error["message"] for error in data["errors"])
    return data["errors"]

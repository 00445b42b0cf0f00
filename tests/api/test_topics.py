"""Topics: a company's own labels, trained on examples and separate from other companies."""

import pytest

TAUGHT = {
    "refunds": [
        "I want my money back",
        "please refund the order",
        "when is my refund paid",
        "give me a refund",
        "refund not received",
    ],
    "delivery": [
        "where is my parcel",
        "the package is late",
        "delivery never came",
        "track my shipment",
        "courier lost the box",
    ],
    "login": [
        "I forgot my password",
        "cannot sign in",
        "login page fails",
        "reset my password",
        "locked out of my account",
    ],
}
EXAMPLES = [{"text": text, "topic": topic} for topic, texts in TAUGHT.items() for text in texts]


def predict(caller, text):
    return caller.data(caller.post("/api/topics/predict", {"text": text}))


@pytest.fixture
def taught(admin, run_jobs):
    assert admin.data(admin.post("/api/topics/examples", {"examples": EXAMPLES}), 201)["examples"] == len(EXAMPLES)
    run_jobs()
    return admin


def test_topics_are_learnt_from_examples(taught):
    assert predict(taught, "my shipment has not arrived")["topic"] == "delivery"
    assert predict(taught, "I'd like to be reimbursed")["topic"] == "refunds"
    clear, strange = predict(taught, "please reset my password"), predict(taught, "what a fine day for a swim")
    assert clear["confidence"] > 0.7 > strange["confidence"]


def test_topics_are_listed_with_their_examples(taught):
    listed = taught.data(taught.get("/api/topics"))
    assert listed == [{"topic": name, "examples": 5} for name in sorted(TAUGHT)]


def test_new_tickets_have_their_topic(taught):
    ticket = taught.ticket(title="Password", description="I need to reset my password")
    assert ticket["topic"] == "login"
    assert ticket["topic_confidence"] > 0.5


def test_each_example_applies_at_once(admin):
    for text, topic in (("the tap drips", "water"), ("the lamp is dark", "light")):
        assert admin.data(admin.post("/api/topics/examples", {"text": text, "topic": topic}), 201) == {"examples": 1}
    assert predict(admin, "no light in the lamp")["topic"] == "light"
    admin.data(admin.post("/api/topics/examples", {"text": "the door is locked", "topic": "door"}), 201)
    assert predict(admin, "my door is locked")["topic"] == "door"


def test_a_repeated_example_is_stored_once(taught):
    assert taught.data(taught.post("/api/topics/examples", EXAMPLES[0]), 201) == {"examples": 0}


def test_a_text_with_two_topics_is_stored_and_unsure(admin):
    for topic in ("a", "b"):
        admin.data(admin.post("/api/topics/examples", {"text": "it rains", "topic": topic}), 201)
    assert predict(admin, "it rains")["confidence"] <= 0.6


def test_a_single_topic_does_not_match_every_text(admin):
    admin.data(admin.post("/api/topics/examples", {"text": "the invoice is wrong", "topic": "invoices"}), 201)
    assert (
        predict(admin, "wrong invoice")["confidence"] > predict(admin, "what a fine day for a swim")["confidence"] + 0.2
    )


def test_without_examples_the_topic_is_empty(admin):
    assert predict(admin, "hello") == {"topic": "", "confidence": 0.0, "sure": False}
    assert admin.ticket()["topic"] == ""


def test_examples_are_forgotten_by_name_or_all(taught):
    assert taught.data(taught.call("DELETE", "/api/topics/examples", EXAMPLES[0])) == {"examples": 1}
    assert taught.data(taught.call("DELETE", "/api/topics/examples", {"all": True})) == {"examples": len(EXAMPLES) - 1}
    assert predict(taught, "reset my password")["topic"] == ""
    assert taught.data(taught.get("/api/topics")) == []


@pytest.mark.parametrize(
    "body", [{}, {"text": "a"}, {"topic": "a"}, {"examples": []}, {"examples": [{"text": "a"}]}, {"examples": "a"}]
)
def test_half_an_example_is_refused(admin, body):
    assert admin.post("/api/topics/examples", body).status_code == 400


def test_topics_do_not_affect_other_companies(taught, stranger):
    assert stranger.data(stranger.get("/api/topics")) == []
    assert predict(stranger, "reset my password")["topic"] == ""
    assert stranger.ticket(title="Password", description="reset my password")["topic"] == ""


def test_customers_may_not_teach(customer):
    assert customer.post("/api/topics/examples", EXAMPLES[0]).status_code == 403
    assert customer.post("/api/topics/predict", {"text": "a"}).status_code == 403


def test_agents_teach_and_admins_forget(agent):
    agent.data(agent.post("/api/topics/examples", EXAMPLES[0]), 201)
    assert agent.call("DELETE", "/api/topics/examples", {"all": True}).status_code == 403


def test_examples_survive_a_restart(open_app, engine):
    from tests.support.caller import Caller

    first = open_app()
    teacher = Caller(first.test_client(), "admin-key")
    teacher.data(teacher.post("/api/topics/examples", {"examples": EXAMPLES}), 201)
    first.extensions["runtime"].stop()
    again = Caller(open_app().test_client(), "admin-key")
    assert predict(again, "please reset my password")["topic"] == "login"


def test_a_thousand_topics_are_distinguished(admin):
    names = [f"product {number}" for number in range(1_000)]
    examples = [{"text": f"question about {name}", "topic": name} for name in names]
    assert admin.data(admin.post("/api/topics/examples", {"examples": examples}), 201)["examples"] == 1_000
    for name in ("product 0", "product 77", "product 777", "product 999"):
        assert predict(admin, f"question about {name}")["topic"] == name


def test_the_audit_holds_the_number_of_examples_without_texts(taught):
    taught.data(taught.call("DELETE", "/api/topics/examples", EXAMPLES[0]))
    told = [(row["action"], row["to"]) for row in taught.data(taught.get("/api/audit?subject=company"))]
    assert told[:2] == [("topics_forgotten", "1"), ("topics_taught", str(len(EXAMPLES)))]


def test_topics_ignore_case(taught):
    taught.data(taught.post("/api/topics/examples", {"text": "I want a refund now", "topic": "REFUNDS"}), 201)
    assert [row["topic"] for row in taught.data(taught.get("/api/topics"))] == sorted(TAUGHT)
    assert taught.data(taught.call("DELETE", "/api/topics/examples", {**EXAMPLES[0], "topic": "Refunds"})) == {
        "examples": 1
    }


def test_topics_ignore_case_in_other_scripts(admin):
    admin.data(admin.post("/api/topics/examples", {"text": "Das geht nicht", "topic": "Ärger"}), 201)
    gone = admin.call("DELETE", "/api/topics/examples", {"text": "Das geht nicht", "topic": "ärger"})
    assert admin.data(gone) == {"examples": 1}


def test_an_example_is_forgotten_only_with_its_own_topic(taught):
    other = {**EXAMPLES[0], "topic": EXAMPLES[-1]["topic"]}
    assert taught.data(taught.call("DELETE", "/api/topics/examples", other)) == {"examples": 0}
    several = {"examples": [*EXAMPLES[1:4], other], **EXAMPLES[-1]}
    assert taught.data(taught.call("DELETE", "/api/topics/examples", several)) == {"examples": 4}


@pytest.mark.parametrize(
    "body",
    [
        *(None, {}, {"text": "", "topic": ""}, {"all": False}, {"all": ""}, {"all": "yes"}, {"examples": None}),
        *({"all": True, **EXAMPLES[0]}, {"all": True, "examples": EXAMPLES}),
    ],
)
def test_examples_are_deleted_only_by_name_or_with_all(taught, body):
    assert taught.call("DELETE", "/api/topics/examples", body).status_code == 400
    assert sum(row["examples"] for row in taught.data(taught.get("/api/topics"))) == len(EXAMPLES)


def test_an_address_is_no_topic(admin):
    assert admin.post("/api/topics/examples", {"text": "a", "topic": "ada@example.com"}).status_code == 400


def test_at_most_three_thousand_examples_per_call(admin):
    many = [{"text": f"question {number}", "topic": str(number % 9)} for number in range(3_001)]
    assert admin.post("/api/topics/examples", {"examples": many}).status_code == 400
    assert admin.data(admin.post("/api/topics/examples", {"examples": many[:3_000]}), 201) == {"examples": 3_000}


def test_erasing_a_customer_deletes_examples_with_their_texts(admin, runtime, run_jobs):
    said = "My boat has a hole."
    ticket = admin.ticket(description=said)
    admin.data(
        admin.post(f"/api/tickets/{ticket['id']}/replies", {"body": "A big hole.", "author_role": "customer"}), 201
    )
    others = [{"text": text, "topic": "boats"} for text in (said, "A big hole.", "From Ada@Example.com", "A new sail.")]
    admin.data(admin.post("/api/topics/examples", {"examples": others}), 201)
    admin.data(admin.delete("/api/customers/ada@example.com"))
    assert admin.data(admin.get("/api/topics")) == [{"topic": "boats", "examples": 1}]


@pytest.mark.parametrize(
    ("examples", "field", "words"),
    [
        ("a", "examples", "must be a list of 1 to 3,000 objects"),
        ([], "examples", "must be a list of 1 to 3,000 objects"),
        ([None, ""], "examples", "must be a list of 1 to 3,000 objects"),
        ([EXAMPLES[0], "a"], "examples[1]", "examples[1] must be an object with text, topic"),
        ([EXAMPLES[0], {"text": "a"}], "examples[1].topic", "is required"),
        ([EXAMPLES[0], {"text": "a", "topic": None}], "examples[1].topic", "is required"),
        ([None, {"text": " ", "topic": "a"}], "examples[1].text", "is required"),
        ([{**EXAMPLES[0], "topik": "a"}], "examples[0].topik", "Did you mean topic?"),
        ([{**EXAMPLES[0], "text": 7}], "examples[0].text", "must be text"),
    ],
)
def test_faults_within_a_list_are_reported_like_others(admin, examples, field, words):
    refused = admin.post("/api/topics/examples", {"examples": examples})
    assert refused.status_code == 400
    [error] = refused.json["data"]["errors"]
    assert error["field"] == field
    assert words in error["message"]


def test_empty_items_of_a_list_are_ignored(admin):
    examples = [None, {**EXAMPLES[0], "topik": None}, ""]
    assert admin.data(admin.post("/api/topics/examples", {"examples": examples}), 201) == {"examples": 1}
    teams = [None, {"topic": "a", "team": "sales", "unknown": ""}]
    kept = admin.data(admin.put("/api/settings", {"topic_teams": teams}))["topic_teams"]
    assert kept == [{"topic": "a", "team": "sales"}]

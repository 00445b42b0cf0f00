"""The story of triage: what would be decided about a text, topics of one's own, and how right the decisions were."""

from tools.api_examples.steps import Chapter, Step, equals, includes

_LATE, _COST = "Late {{runId}}", "Cost {{runId}}"
_EXAMPLES = {
    "examples": [
        {"text": "My parcel {{runId}} has not arrived", "topic": _LATE},
        {"text": "Where is my order {{runId}}? The courier never came", "topic": _LATE},
        {"text": "I want my money back for {{runId}}", "topic": _COST},
        {"text": "Please refund what I paid for {{runId}}", "topic": _COST},
    ]
}

TRIAGE = Chapter(
    "Triage",
    "What is decided about a text and why; what it learns from you.",
    [
        Step(
            operation="TriageText",
            name="Triage a text",
            about="Nothing is stored.",
            body={
                "title": "Charged twice",
                "description": "You charged my card twice for one invoice. Please return the money, it is urgent.",
            },
            checks={
                "knows what it is about": equals("category", '"billing"'),
                "says why": 'expect(answer.triage_reasons).to.be.an("array").and.not.empty',
            },
        ),
        Step(
            operation="TriageText",
            name="Triage a text that is given twice",
            about="Either text, or title and description.",
            status=400,
            code="invalid_fields",
            body={"text": "My invoice is wrong.", "title": "Invoice"},
        ),
        Step(
            operation="TeachTopics",
            name="Teach two topics",
            about="A few examples of each are enough to begin with.",
            status=201,
            body=_EXAMPLES,
            checks={"takes four examples": equals("examples", "4")},
        ),
        Step(
            operation="ListTopics",
            name="List the topics",
            checks={
                "holds what was taught": includes(
                    "answer.map((topic) => topic.topic)", 'pm.variables.replaceIn("Late {{runId}}")'
                )
            },
        ),
        Step(
            operation="PredictTopic",
            name="Ask what a text is about",
            body={"text": "My parcel {{runId}} has not arrived yet"},
            checks={
                "tells the topic": equals("topic", 'pm.variables.replaceIn("Late {{runId}}")'),
                "says how sure it is": "expect(answer.confidence).to.be.within(0, 1)",
            },
        ),
        Step(
            operation="ForgetTopics",
            name="Forget the examples again",
            body=_EXAMPLES,
            checks={"takes four away": equals("examples", "4")},
        ),
        Step(
            operation="GetAiQuality",
            name="How right triage was",
            checks={"tells of each field": includes("answer.map((one) => one.field)", '"category"')},
        ),
    ],
)

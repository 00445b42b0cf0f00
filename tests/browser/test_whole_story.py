"""One conversation from its first question to the dashboard, seen by the customer, the agent and the admin at their pages."""

from playwright.sync_api import expect

from tests.browser.test_desk import open_desk


def test_a_question_becomes_a_rated_ticket_on_the_dashboard(open_tab, company):
    article = {"title": "How long refunds take", "body": "A refund arrives on the card after five working days."}
    company.call("POST", "/api/knowledge", article)

    customer = open_tab(desk=company).open(f"/chat?company={company.company}")
    customer.get_by_role("textbox", name="Write a message").fill("How long does a refund to the card take?")
    customer.keyboard.press("Enter")
    expect(customer.get_by_text("five working days").first).to_be_visible()
    customer.get_by_role("button", name="Talk to a person").click()
    expect(customer.get_by_text("A person is asked")).to_be_visible()

    agent_tab = open_tab(desk=company)
    agent = open_desk(agent_tab, "agent", "/desk/handoff")
    agent.locator(".row").first.click()
    agent.get_by_role("button", name="Take over").click()
    expect(agent.get_by_role("button", name="Return to the AI")).to_be_visible()
    agent_tab.settle()
    agent.get_by_role("tab", name="Help").click()
    agent.get_by_role("button", name="Write a draft").click()
    agent.get_by_role("button", name="Insert", exact=True).click()
    expect(agent.locator("#words")).not_to_have_value("")
    agent_tab.settle()
    agent.locator("#words").fill("Your refund is on its way, it arrives tomorrow.")
    agent.get_by_role("button", name="Send", exact=True).click()
    expect(customer.get_by_text("it arrives tomorrow")).to_be_visible()
    agent.locator(".modes").get_by_role("button", name="Resolve").click()
    agent.locator("#words").fill("The refund arrives tomorrow.")
    agent.keyboard.press("Control+Enter")

    customer.get_by_role("button", name="Very good").click()
    expect(customer.get_by_text("Thank you. You said: Very good.")).to_be_visible()

    admin = open_tab(desk=company).open_as("admin", "/admin")
    numbers = admin.locator(".figures")
    expect(numbers).to_contain_text("1 rating")
    assert numbers.locator("strong").last.inner_text() == "5.0"

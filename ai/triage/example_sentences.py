"""Sentences as customers write them, each with what it is an example of: what triage compares a text with.

All are our own and of no company in particular. INDUSTRIES_FILE holds those of many industries and says what each category
means. ai/triage/text_classifier.py says what the likeness to a sentence counts.
"""

import re
from collections.abc import Iterator
from pathlib import Path

INDUSTRIES_FILE = Path(__file__).with_name("industries.txt")


def _sentences(text: str) -> tuple[str, ...]:
    return tuple(re.split(r"\s+/\s+", " ".join(text.split())))


def _industries(text: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The industry, the category and the sentences of each line of INDUSTRIES_FILE."""
    industry = ""
    for line in text.splitlines():
        if line.startswith("["):
            industry = line.strip("[]")
        elif line and not line.startswith("#"):
            category, _, sentences = line.partition(":")
            yield industry, category, _sentences(sentences)


# Sentences that fit nearly every company.
COMMON: dict[str, tuple[str, ...]] = {
    "billing": _sentences("""
        I was charged twice / There is a mistake on my invoice / When do I get my refund? / My payment did not go
        through / Please send me a copy of the invoice / My card was declined when I paid / I want my money back /
        There is an extra charge on my bill / How do I pay my bill? / Which payment methods do you accept? / What is
        the cancellation fee? / My credit card bill is higher than usual / Why did my bill go up this month? / The
        amount that was debited is wrong / Can I pay in instalments? / The late fee should be removed / I need a
        receipt for my payment / You billed us for more users than we have / How do I see the status of my refund? /
        When is the next payment due? / I dispute this charge / The discount is missing on my invoice / Change how I
        pay for my subscription / Is my money refunded when I return it? / The payment is pending / Question about the
        price on our invoice and the billing period / There is an error in my statement / I cannot pay my loan this
        month / What is the outstanding balance? / I have paid but it still says unpaid / What is the penalty for
        leaving early? / Check when my bill is due / Billing adjustment requested / I do not recognise a transaction on
        my statement / A transfer has not arrived / The exchange rate you used is wrong / My top-up failed and the
        money is gone / Why was a fee taken for the withdrawal? / The bank transfer is still pending / Send the bill to
        our finance department / The tax number on the invoice is wrong / Please explain this charge / I cancelled and was
        billed all the same / When is the money taken from my account? / The voucher was not taken off the total
    """),
    "technical": _sentences("""
        The app crashes when I open it / I get an error message / The website does not load / I cannot connect to the
        server / The integration stopped syncing / My internet is not working / My screen is broken / The software will
        not install / The upload fails / My device does not turn on / Everything is very slow / The report shows the
        wrong data / The page is blank after the update / We have an outage / The API answers with a timeout / The
        printer does not print / How do I configure the system? / How do I export the data? / My phone has no signal /
        The camera does not work / My computer has a virus / The call drops all the time / Problems with the network
        connection / The battery is not charging / How can our systems be integrated with each other? / There was a
        data breach in our system / We need the latest version installed / The picture on my TV freezes / The program
        closes by itself / How do we protect our data and systems? / My laptop does not start / There is a bug in the
        new release / The wifi keeps disconnecting / The video has no sound / The new version solved the problem /
        Nothing works, the service is down / I cannot log in because of an error / The keyboard of my laptop is broken
        / The server ran out of disk space / My mailbox is full and does not receive mail / Outlook does not
        synchronise / The phone line is dead / Please install this program on my computer / The monitor flickers / The
        job on the server failed with an error / Data is not in step between two systems / How do I connect your
        product with our database? / I cannot log in to the system / Cannot login, our team is blocked / The
        login page does not work / Checkout is down and nobody can pay / The payment page of our shop is down / Login is
        down for everyone / Does it integrate with other tools? / Our card terminal is offline
    """),
    "sales": _sentences("""
        How much does it cost? / I would like to buy a licence / Please send us a quote / Do you offer a discount? /
        Can we have a demo? / Which plan is right for a small team? / I want to upgrade to a bigger plan / I need a new
        internet connection / I want to sign up for a new phone line / Is there a free trial? / What is the difference
        between the plans? / I am interested in your products / Is this item in stock? / We want to order a hundred
        licences / Do you have special offers? / I want to subscribe to cable television
        / Can I get an estimate? / Tell me the price of a new phone / I am looking for a new provider / I would like to
        get a new policy / Please tell us more about your services and their prices /
        I want to take out a new insurance / Which packages are available? / I would like to add another service to my
        plan / How much will it be per month? / We are considering your product for our company / I want to start a new
        service at my address / Do charities pay less? / I would like to apply for a credit card / Am I eligible for
        your card? / Which interest rate do you
        offer? / We would like to become your customer / I am looking for a health insurance / Can we get an offer for
        our whole team? / We want twenty more seats / Can you make us a better price? / Who advises us before we buy?
    """),
    "account": _sentences("""
        I forgot my password / How do I change my e-mail address? / Please delete my account / I want to open a new
        account / How do I close my account? / I need to update my personal details / My profile shows the wrong name /
        I cannot sign up / Switch me to the free account / How do I edit my user profile? / I am locked out of my
        account / My account was hacked / I never get the password reset mail / How do I invite a colleague? / Change
        the address on my account / How do I register as a new user? / I want to create another user account / My
        registration fails / I lost my access code / Please change my phone number / Remove my user account / Recover
        my login details / I need to unlock my profile / I moved and have a new address / Give a new employee access
        rights / Cancel my membership / I want to close my savings account / The verification code never arrives /
        Change my username / Who can see my personal data? / Where do I upgrade my account to premium? / I want to set
        up two accounts / My PIN does not work any more / Please give me access to this folder / He needs rights for
        this application / Set up the accounts of a new employee / Somebody left the company, close his access / Verify
        my identity / Why must I prove who I am? / My bank account is frozen / How do I activate my card? / Block my
        card, I lost it / I want to link another bank account to my profile / Please cancel my contract / End my
        subscription at the end of the month / Take a user off our plan
    """),
    "general": _sentences("""
        Where is my order? / When will my parcel arrive? / What are your opening hours? / I want to speak to a person /
        I want to make a complaint / I would like to leave a review / How do I subscribe to the newsletter? / Do you
        deliver to my country? / I want to cancel my order / Change the delivery address of my order / Thank you for
        your help / How can I contact customer service? / What is the status of my claim? / I need my boarding pass / I
        want to change my seat / Is my flight on time? / What delivery options are there? / I want to place an order /
        The item I got is not the one I ordered / Where are you located? / I have a suggestion / Your staff was very
        friendly / I am disappointed with the service / I want to return the item / Hello, I have a question / Can you
        call me back? / Let me talk to an agent / Remove an item from my order / Track my shipment / How long does
        shipping take? / I want to give feedback on a product / What should I do with my luggage? / You lost a customer
        / Please confirm my booking / I want to file a claim / The driver never came and my delivery is gone / I want
        to book a room / My suitcase is lost / How far is my application? / When will the new card be delivered? / May
        I take this bag on board? / Question about my holiday leave / Please order a new chair for the office / Are you
        a robot? / Goodbye / Please register that I am leaving the team / I want to change the date of my
        booking / Do you
        sell this in my country? / Do you have accounts for children? / Which countries do you support? / What
        services do you offer? / The courier did not come / The technician did not show up / Nobody came to the appointment
        / My order never came / I got the wrong size / How long is the warranty? / Is this covered by the guarantee? / Can I
        pick it up myself? / My booking has disappeared
    """),
}

# Each line of the file: the industry, the category and its sentences.
INDUSTRIES = tuple(_industries(INDUSTRIES_FILE.read_text(encoding="utf-8")))

# The sentences of each category, the common ones first.
CATEGORIES: dict[str, tuple[str, ...]] = {
    category: (*common, *(text for _, name, texts in INDUSTRIES if name == category for text in texts))
    for category, common in COMMON.items()
}

# From 1 (nothing is asked) to 5 (work has stopped, or somebody could come to harm).
URGENCY: dict[int, tuple[str, ...]] = {
    5: _sentences("""
        Production is down and nobody can work / All our users are locked out right now / Our website is down and we
        lose money every minute / My account was hacked and money is gone / Complete outage of the whole network / We
        have lost all our data / There is a security breach, act immediately / Somebody could get hurt, this is
        dangerous / I cannot access anything and my team is blocked / Critical failure, immediate help needed / There
        are payments on my card that I never made / I lost my bank card, block it now / The server is not reachable and
        no order comes through / Somebody got into our system and took customer data / Every one of our offices is
        without network / Alarm: the data centre does not answer / Patients cannot be treated because the system is
        down / Freeze my account at once, somebody has my PIN / Nobody in the company can send or receive mail / The
        checkout fails for every customer / Medical records were seen by somebody who must not see them
    """),
    4: _sentences("""
        I need this fixed today, my deadline is tonight / My payment was rejected and I need the money now / Our main
        system keeps failing and clients complain / I am locked out and have to present in an hour / I have waited for
        weeks and still have no refund / This is urgent, please answer as soon as possible / Top priority: month end
        closing is at risk / Several users cannot log in / My claim was denied and I need help / Calls drop during
        meetings with clients / My account is on hold and I need my money / My suitcase has not arrived and I fly on
        tomorrow / I cannot check in and my flight leaves tonight / My car will not start and I am stranded / Our
        database crashes under load and work is delayed / The money has left my account but never reached you / My
        application was turned down without a reason / A service fails again and again for many users / There is a
        charge I do not recognise / Please unlock my account
    """),
    3: _sentences("""
        The app crashes when I open the chat / I was charged twice for one order / My order is late / The report shows
        wrong numbers / I get an error when I upload a file / The connection is slow and unstable / I still have a
        problem with my access / Something does not work as it should / I am disappointed with your service / The
        delivery was damaged / Intermittent problems since yesterday / I will pay on Friday / The card is damaged and
        does not work in the shop / The balance you show is wrong / I was charged a fee I did not expect / My screen is
        cracked / I cannot submit my timesheet because of an error / I have not had an answer to my last message / My
        luggage came late / There is a mistake in my order / I will be late with my payment / Remove the late fee from
        my bill
    """),
    2: _sentences("""
        How do I change my address? / Could you tell me what the plan costs? / Please send me a copy of my invoice /
        Can I invite a colleague? / I would like information about your services / What are the options for integrating
        this? / Please give me access to the folder / Where do I find the settings? / Is there a discount for students?
        / I would like to make an appointment / Please order a new keyboard / Request for a change next month / We
        would like documentation about the integration / Which measures do you take to keep data safe? / What is my
        balance? / Send me my boarding pass / What is the status of my claim? / Set up an account for a new employee /
        Tell my bank that I will travel / When does my card expire? / I want to order a new one
    """),
    1: _sentences("""
        Thank you for your help / Great, it works now / Have a nice day / Just saying hello / I love your product /
        Okay, thanks / No hurry at all, whenever you have time / It would be nice to have a dark theme some day / For
        your information only, no action needed / What are your opening hours? / Feedback about the newsletter / Good
        morning / Bye, that is all / Who made you? / What do you like to do? / Thanks for understanding / I was only
        joking / We had a great time / My cat is asleep
    """),
}

SENTIMENTS: dict[str, tuple[str, ...]] = {
    "positive": _sentences("""
        Thank you so much, you are great / I love it / Excellent service / The staff was friendly and helpful / It
        works perfectly now, thanks / You made my day / Best company ever / I am very happy with my purchase /
        Wonderful experience / Keep up the good work / Thanks for the quick help / So impressed with your team / I am
        glad I chose you / Great job, everybody / Awesome, can't wait / You are the best, thank you / Shout-out to
        your crew for being so kind / What a beautiful surprise / the crew on board was lovely, please tell them
        / fixed within ten minutes, hats off / never had such a smooth check-in / my daughter is over the moon
        with her present / you guys rock / that was quick, cheers / finally a company that listens / so
        comfortable, I ordered a second pair / the new design looks fantastic / big thank you to the gentleman
        at counter 4 / arrived a day early, perfect / five stars from me / happy customer here / this app saves
        me hours / warm welcome and great food / can't wait for the trip with you / love the update / much
        appreciated, have a good one
    """),
    "neutral": _sentences("""
        How do I change my address? / What time do you open? / I cannot log in, please help / This is urgent, my team
        needs access today / Please send me the invoice / I would like to know the price / Is there a later one today?
        / Can I bring a second bag? / I sent you a message / Do you deliver to Canada? / My order number is 12345 /
        Which plan includes this? / I need to update my phone number / Are there seats left on Friday? / Where can I
        find the form? / What does the plan cost? / Can you follow me so that I can write to you? / Interesting
        article about your company / I have a question about my booking / I forgot my password / When is the next
        payment due? / I am on my way to the airport / Do you have a link for that? / what is the baggage limit
        on this route / we land at nine / could you send me the contract as a file / is there wifi on board / my
        seat is 14C / how do I claim the miles of last week / just following up on the mail from this morning /
        which terminal is it / I would like to change the date to the 12th / does the ticket include a meal /
        trying to book for five people / I am looking at the two bigger models / please confirm that you got my
        form / can the same code be used twice / when do sales for summer start / what documents are needed / I
        live in the north of the city / is this the right place to ask / I updated my profile yesterday / How
        long does a refund take to arrive? / When will the money be back on my card? / How do I report a fault?
        / How long does delivery take? /
        who is playing tonight / are there still places left / is the early train still running / how late is the kitchen
        open / what do I do if I miss the last bus / are delayed trains shown in the app / can a cancelled order be placed
        again / how many days does a transfer take / where do I send a broken part / is it possible to fix the price for a
        year / why is a signature needed / when will you know the new date / do you have it again in white / which form is
        for lost keys / how do refunds work / may I still add a guest / I would like to end the contract in June / I want to
        send back two of the five shirts / do you connect to our calendar / could you repeat the last step / how long is the
        wait at the counter on Mondays / tell me what a missed visit costs
    """),
    "negative": _sentences("""
        This is unacceptable / I am very disappointed / Your service is terrible / I have been waiting for hours and
        nobody answers / Worst company ever / It still does not work / You lost my luggage / I was charged twice /
        Nobody helped us / The staff was rude / I want my money back / You hung up on me / Cancelled again, and no
        explanation / I will never buy from you again / What a waste of time / My flight is delayed and I will miss my
        connection / I have been on hold for an hour / Your website is broken again / The app keeps crashing / Really?
        No reply for three days? / Why is this so hard? / My parcel arrived damaged / You keep ignoring my messages /
        This is a joke / Thanks for nothing / how can a simple change take three weeks / nobody at the gate knew
        anything / sat on the runway for two hours without a word / you double booked our seats, unbelievable /
        my bag is still in another city / the line at your counter does not move / your automatic voice hung up
        on me twice / the food was cold and so was the waiter / I regret buying this / you ruined our holiday /
        not what was promised / no apology, no help, nothing / paying extra for this was a mistake / the site
        ate my booking and my money / I give up / not happy at all / what kind of service is this / every year
        it gets worse / missed my son's party because of you / please stop wasting my time / so your answer is
        to wait another week? / they lied to me about the fee / still on hold / broken again, shocking / two hours
        late and nobody says a word / no crew, no plane, no news / third change of gate and counting / my luggage is
        still in Rome and so is my suit / you cancelled our trip by text message / the line has been dead since
        Tuesday / how do you lose a pram / another week, another wrong parcel / stuck on the platform because of you /
        your app says on time, the board says cancelled / so much for priority boarding / guess I will sleep on the
        floor tonight / the agent would not even look at my papers / wrong seat, cold meal, no wifi
    """),
}

# Whether a customer is about to be lost: the second is a plain question or praise.
DISSATISFIED = _sentences("""
        I am very disappointed and will not buy again / Still no refund after a month / You have ignored all my
        messages / This is the third time I ask and nobody helps / My order never arrived and nobody replies / It
        broke after two days / I have been waiting for hours / Terrible customer service / I want a refund now / Your
        app has not worked for a week, fix it / Why do you keep cancelling my order? / I was promised a call back and
        got none / The product arrived damaged / Please fix this, I cannot log in again / I paid and got nothing / My
        package is late again / Is anybody there? No reply to my mail / Why is your service down again? / You sent me
        the wrong size / I will take my business elsewhere / This is unacceptable, I want to complain / Your driver
        never came / ordered three weeks ago and still nothing, what is going on? / my new headphones stopped
        working after four days, not impressed / your app logs me out every five minutes, please fix / been
        trying to reach support since Monday, no luck / why does my internet die every single evening / paid for
        next day delivery, it's day five / You charged me again after I cancelled. Again! / the jacket came with
        a hole in the sleeve / two months without a reply to my claim / how is it possible to lose a parcel
        twice / third engineer, same fault / your chat closed on me in the middle of my question / I booked a
        window seat and got the middle / the update deleted all my settings, thanks a lot / Is it normal that
        nobody picks up the phone for 40 minutes? / was told a refund takes five days, that was in March / you
        sold me a ticket for a train that does not exist / the room was dirty and the front desk shrugged / my
        kid's birthday present is stuck in your warehouse / can't check in, site is down, flight is in three
        hours / what is the point of a warranty if you refuse every repair / sent back the wrong size, got the
        same wrong size again / the coupon you mailed me does not work in any shop / your courier left it in the
        rain / my bank card is blocked without any notice and I am abroad / the laptop you repaired is worse
        than before / no heating for a week and the landlord's line is dead / how hard can it be to change an
        address / I have explained this to four different people / I want what I paid for / lost an hour of work
        because your editor crashed / so disappointed in the quality this year
""")
SATISFIED = _sentences("""
        Thank you, it works now / I love your new product / What time do you open tomorrow? / How do I change my
        address? / Do you ship to Canada? / Looking forward to the new version / Which plan includes support? / Great
        service, thanks / Is there a discount for students? / When does the sale start? / Can I use the voucher
        online? / Just bought one and I am happy / Please send me the invoice / Thanks for following me / Check out
        our new article / Have a great day / I am going to your shop today / Could you tell me where it was made? /
        What colours does it come in? / How can I export the log? / Congratulations on the launch / Will you have this
        in stock again? / does the phone come in blue? / where can I read about the new tariff / I will be at
        your store in Leeds at noon / good morning, have a nice week everybody / my order came today, lovely
        wrapping / can I pay with a gift card / what is the best way to send you a picture / which bus goes to
        the stadium / just signed up, looking forward to it / is the branch open on the 1st / could you check a
        reservation for me / the game on Sunday was fun, thanks for the tickets / any plans for a shop in
        Dublin? / I sent you a private message with the number / thanks, that solved it / do you know when
        registration opens / congrats to the whole crew / please tell me how to add a second user / how many
        bags may I bring / I am thinking of buying the larger one / who do I write to about a job / the blue one
        suits me better, I think / can you follow me back / new recipe with your flour on my page / what's the
        password rule / happy birthday to your company / is there an app for the tablet too / we would like to
        renew for another year / which size do you advise for 1.80 m / watching your video right now / your
        driver was early today, great / How long does a refund take to arrive? / When will the money be back on
        my card? / What happens if a
        parcel is late? / Can I send it back if it breaks? / How do I report a fault? / What is to be done when a card
        is lost? / How long does delivery take? / Whom do I ask about a wrong invoice? /
        I need the form for a change of name
""")

WANTS_HUMAN = _sentences("""
        I want to speak to a person / Let me talk to a human agent / Can I chat with a live agent? / Please connect me
        to an operator / I need to talk to somebody / How can I speak with customer service? / Call me back please / I
        do not want a robot, give me a person / Is there somebody I can talk to? / Put me through to your manager / I
        need assistance from a real person / I would like to talk to your supervisor / Can someone from your team call
        me? / Is any human reading this? / I would rather settle this on the phone with somebody / Please escalate this
        to your manager / No more automatic answers, let a colleague answer / Can a member of staff look at this
        himself? / I want somebody who understands my problem / Please have an adviser ring me / How do I get in touch
        with your support people? / I need help from someone who can decide / Give me the hotline, I want to explain it
        to a person
""")
NO_HUMAN = _sentences("""
        I want to cancel my order / How do I pay my bill? / I need help to reset my password / What are your opening
        hours? / Where is my parcel? / I want to file a complaint / How do I contact the seller by mail? / The app
        crashes / I want to leave feedback / Help me change my address / I need assistance with my invoice / Our
        agents cannot log in / Please add an agent to our plan / I spoke to an agent yesterday and the refund is here
        / What is the phone number of the shop? / I have a problem with my account / Which payment methods do you
        accept? / Are you a robot or a person? / It was nice talking to you / Talk to you later, bye / Please call me
        Anna / I need to call my friend / The agent was very rude / Who is the manager of the shop? / Can I invite
        someone to my account? / Somebody used my card / Thank the colleague who helped me / A person from your firm
        rang me yesterday / Is there anybody who has the same problem? / Assign the ticket to another agent / How many
        people may use the licence? / Transfer the money to my sister / Can somebody tell me the price? / No one
        delivered my parcel / Why do you call me every day? Stop it
""")

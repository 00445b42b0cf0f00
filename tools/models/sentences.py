"""The training texts of the token table: sentences that a small grammar generates, the same every time.

All words were written for this project. None comes from a customer, a data set or another work.
"""

import random
import re
from collections.abc import Iterator

# {name} is replaced by a choice of GRAMMAR[name]. {any} is replaced by a word of the vocabulary, so that all are used.
GRAMMAR = {
    "text": """
        {request} | {request} | {trouble} | {trouble} | {report} | {money} | {buying} | {access} | {parcel} |
        {opinion} | {person} | {travel} | {bank} | {insure} | {work} | {home} | {chat} | {trouble}. {request} |
        {trouble}, {feeling} | {opinion} {trouble} | {greeting}, {request} {closing} | {greeting}, {report} {closing}
        | {money}. {feeling} | {short} | {short} | {note} | {note} | {loose} | {loose} | {subject}. {report} |
        {subject}. {greeting}, {trouble}. {request} {closing}
    """,
    "greeting": """
        hi | hello | good morning | dear support team | dear sir or madam | hey there | hi team | hello support
    """,
    "closing": """
        thanks | thank you | many thanks in advance | kind regards | best regards | please help | please advise |
        regards | looking forward to your reply | as soon as possible please | let me know | thank you for your help
    """,
    "ask": """
        how do I | how can I | can you | could you please | I want to | I need to | I would like to | please | is it
        possible to | help me | I need help to | what do I have to do to | where can I | I am trying to | I don't know
        how to | can I | we want to | would you | I have to | tell me how to | show me how to | I need assistance to |
        do you know how to | is there a way to
    """,
    "request": """
        {ask} {do} {my} {thing} | {ask} {do} {a} {adjective} {thing} | {ask} {do} {my} {thing} {when} | {ask} {any}
        {my} {any} | {ask} {do} the {any} | what is {my} {thing} | when is {my} {thing} due | where is {my} {thing} |
        which {thing} {is} {adjective} | what are the {thing}s for {my} {thing} | {ask} {do} {my} {thing} and {do} {a}
        {thing} | do you have {a} {thing} for {any} | what does {any} mean in {my} {thing} | I have a question about
        {my} {thing} | why was {my} {thing} {done} | who can {do} {my} {thing} | {ask} {do} {my} {thing} from {place}
        | {do} {my} {thing} please | {ask} {do} my {any} {any}
    """,
    "trouble": """
        {my} {thing} {fails} | {my} {adjective} {thing} {fails} {when} | {my} {any} {fails} | the {any} of {my}
        {thing} {fails} | I cannot {do} {my} {thing} | we are unable to {do} {my} {thing} | I can't {do} the {any} |
        there is a problem with {my} {thing} | something is wrong with {my} {thing} | {my} {thing} is {state} | {my}
        {thing} has been {state} {when} | I lost {my} {thing} | every time I {do} {my} {thing} it {fails} | after the
        update {my} {thing} {fails} | {my} {device} {symptom} | {my} {device} {symptom} {when} | the {device} in
        {place} {symptom} | {my} {thing} was {done} {when} | no {thing} since {when} | error {number} when I {do} {my}
        {thing} | {any} error in {my} {device} | {my} {thing} never came | {my} {thing} is {any}
    """,
    "report": """
        I am writing to report {a} {adjective} {thing} | we noticed that {my} {thing} {fails} {when} | {number} users
        cannot {do} {my} {thing} | our {group} cannot {do} {my} {thing} | the {group} reports that {my} {device}
        {symptom} | since {when} {my} {thing} {fails} | I am experiencing {trouble_noun} with {my} {thing} | we have
        {trouble_noun} with {the_system} {when} | {the_system} {fails} and our {group} {cannot_work} | please log an
        incident, {my} {device} {symptom} | {trouble_noun} with {the_system} | the {any} {any} of {the_system} {fails}
        | I tried to {do} {my} {thing} but it {fails}
    """,
    "subject": """
        {trouble_noun} with {my} {thing} | request for {thing} | urgent: {the_system} {fails} | question about {thing}
        | {thing} {done} | inquiry regarding {thing} | {adjective} {thing} | {any} {thing} | new {thing} for {group} |
        access to {the_system} | help with {any}
    """,
    "money": """
        I was charged {amount} twice | I was billed for {thing} I never ordered | {ask} {pay_do} {my} {bill} | {my}
        {bill} is {money_state} | when will I get {my} refund | {my} {bill} shows {amount} too much | the payment of
        {amount} {fails} | {ask} get {my} money back | what {bill} do I owe | I already paid {my} {bill} {when} | {my}
        card was declined | why is there {a} {fee} on {my} {bill} | which payment methods do you accept | {ask}
        {pay_do} {a} {bill} for {any} | the {fee} is {money_state} | {ask} check the {fee} | I need {a} copy of {my}
        {bill} from {when} | please correct the {fee} on {my} {bill} | I can't pay {my} {bill} until {when}
    """,
    "pay_do": """
        pay | get | see | download | dispute | print | change | cancel | find | receive | split | lower | check |
        understand
    """,
    "bill": """
        invoice | bill | credit card bill | statement | refund | payment | subscription fee | rent | salary | tax |
        loan | instalment | receipt | deposit | reimbursement | rebate | mortgage | payslip | expense report | debit |
        transfer | balance | order total
    """,
    "fee": """
        cancellation fee | late fee | withdrawal fee | foreign fee | extra charge | service fee | tax | penalty |
        interest | surcharge
    """,
    "money_state": """
        wrong | too high | overdue | missing | still open | incorrect | not what we agreed | unpaid | pending | lower
        than last month
    """,
    "amount": """
        20 dollars | 49 euros | 300 pounds | $1,200 | 15% | an extra amount | the full price | half of it | $9.99 | a
        hundred
    """,
    "buying": """
        how much {is} {a} {product} | what does {a} {product} cost | I want to buy {number} {product}s | is there a
        discount for {group}s | {ask} get a quote for {number} {product}s | do you sell {product}s | can we have a
        demo of {a} {product} | which plan includes {thing} | I am interested in {a} {product} | do you offer {a} free
        trial | what is the price of {a} {any} | please send an offer for {product}s | {ask} upgrade to the
        {adjective} plan | {ask} order {a} {product} for {place} | is {a} {product} available in {place} | compare the
        {product} and the {product} | what licences do you offer for {group}s | I want {a} new {product} connection
    """,
    "product": """
        phone | laptop | internet line | cable package | ticket | licence | printer | flight | hotel room | car |
        insurance policy | book | headset | router | television | subscription | software | course | jacket | pair of
        shoes | gift card | mattress | sofa | camera | premium plan | business plan | data package | hosting plan |
        sim card | watch | bicycle | tablet | dress | monitor
    """,
    "access": """
        I forgot my {secret} | {ask} reset my {secret} | I am locked out of {my} {account} | {ask} open a new
        {account} | {ask} delete my {account} | {ask} change the {detail} of {my} {account} | {ask} create a {account}
        for {group} | my {account} was hacked | {ask} invite a colleague | {ask} switch to the {adjective} {account} |
        I never get the {secret} mail | {ask} edit my {detail} | sign-up {fails} | {ask} recover my {secret} | I can't
        log in to {my} {account} | two-factor code {fails} | {ask} give {person_noun} access to {the_system} | please
        close my {account} | {person_noun} needs permission for {the_system} | {my} {detail} is wrong in {my}
        {account} | I want to register {a} {account} | new starter {when}, please set up {account}, mailbox and
        {device}
    """,
    "secret": """
        password | pin | passcode | username | login | verification code | key | security question | access code |
        access key
    """,
    "account": """
        account | profile | user account | premium account | free account | membership | savings account | mailbox |
        login | admin account
    """,
    "detail": """
        address | e-mail | phone number | name | billing address | personal details | date of birth | language |
        company name | photo
    """,
    "parcel": """
        where is {my} {order} | {my} {order} has not arrived | {ask} track {my} {order} | {ask} cancel {my} {order} |
        {ask} return {my} {order} | how long does delivery to {place} take | do you ship to {place} | {my} {order}
        arrived {state} | wrong {product} in {my} {order} | {ask} change the delivery address of {my} {order} | the
        driver left {my} {order} {place} | {ask} swap {a} {product} | {my} {order} is late | what are the delivery
        options | {ask} add {a} {product} to {my} {order} | is there a fee for shipping | {my} {order} is stuck in
        customs
    """,
    "order": """
        order | parcel | package | delivery | order {number} | shipment | purchase | item | letter | basket | new
        {product}
    """,
    "opinion": """
        this is {bad} | your service is {bad} | I am {bad_feeling} | what a {bad} company | {bad} support | I love
        {my} {thing} | great {thing} | the {group} was {good} | thank you, {my} {thing} works now | you are {good} |
        {good} service, thanks | I am {good_feeling} with {my} {thing} | {bad} {thing}, never again | nobody answers,
        {bad} | I waited {when} and nobody came | it is okay | the {thing} is {good} | the {any} is {bad} | the {any}
        was {good} | you lost a customer | this is a joke | well done | I hate the new {thing} | best {product} ever |
        worst {product} ever | you keep ignoring me | I have been on hold for {number} hours | your {group} hung up on
        me | so {bad_feeling} with you | much appreciated
    """,
    "bad": """
        terrible | awful | unacceptable | a disgrace | useless | rude | slow | pathetic | ridiculous | horrible | a
        nightmare | disappointing | poor | unprofessional | a scandal | a waste of time | the worst | not good enough
        | a mess | broken again
    """,
    "good": """
        great | excellent | wonderful | amazing | very helpful | friendly | perfect | brilliant | quick | kind |
        awesome | fantastic | lovely
    """,
    "bad_feeling": """
        angry | disappointed | frustrated | fed up | upset | furious | annoyed | worried | unhappy | sad | tired of
        this | shocked
    """,
    "good_feeling": "happy | pleased | delighted | satisfied | impressed | glad | grateful | thrilled | relieved",
    "feeling": """
        this is {bad} | I am {bad_feeling} | please help | it is urgent | thanks | I am {good_feeling} | no hurry |
        what now | not {good}
    """,
    "person": """
        {ask} speak to a {human} | I want to talk to a {human} | let me chat with a {human} | call me back | is there
        a {human} I can talk to | stop the bot and give me a {human} | connect me with {my} {human} | {ask} contact
        your {group} | when can I call you | what are your {hours} | {ask} file a complaint | {ask} leave feedback |
        {ask} subscribe to the newsletter | where are you located | I need a {human} now
    """,
    "human": """
        person | human | real person | live agent | manager | supervisor | representative | somebody | colleague |
        operator | agent
    """,
    "hours": "opening hours | business hours | office hours | working hours | times on {day}",
    "travel": """
        book a flight from {place} to {place} | {my} flight to {place} was {done} | {my} luggage is lost | change {my}
        seat | I need {my} boarding pass | what is the status of flight {number} | reserve a table for {number} in
        {place} | find a hotel in {place} | how do I get to {place} | what is the weather in {place} {when} | rent a
        car in {place} | do I need a visa for {place} | cancel {my} reservation in {place} | how far is it to {place}
        | is there traffic to {place} | what time is it in {place} | {my} flight is delayed {when} | suggest things to
        do in {place} | {my} passport is {state} | tip in {place} | exchange rate of the {any} | what plug do they use
        in {place} | is {place} safe
    """,
    "bank": """
        what is {my} account balance | transfer {amount} to {person_noun} | {my} card is {state} | {my} card was
        stolen {place} | raise {my} credit limit | block {my} card | when does {my} card expire | how do I activate
        {my} card | why is {my} account frozen | what is {my} credit score | I want to apply for a loan | the cash
        machine kept {my} card | I don't recognise {a} payment of {amount} | exchange {amount} into {any} | top up by
        {any} | what is {my} routing number | order new checks | report fraud on {my} card | pending transfer of
        {amount} | pin blocked | how are {my} points redeemed | set up a direct debit | interest rate on savings | can
        I use {my} card in {place} | verify {my} identity
    """,
    "insure": """
        I need to file a claim for {my} {thing} | what is the status of {my} claim | is {my} {product} covered | {my}
        {device} screen is cracked | I had an accident in {place} | change {my} health plan | add {person_noun} to
        {my} policy | what does {my} insurance cover | renew {my} policy
    """,
    "work": """
        how many vacation days do I have | request time off {when} | when is payday | {my} timesheet {fails} | who is
        {my} manager | schedule a meeting with {person_noun} {when} | book a room {when} | please approve {my} {bill}
        | new employee in {group} {when} | leaver on {day}, please remove access | {my} contract ends {when} | remind
        me to {do} {my} {thing} | add {thing} to {my} calendar | send a message to {person_noun} | mailbox is full |
        please purchase {number} {product}s for {group} | grant admin rights on {my} {device} | install {any} on {my}
        {device} | move {my} desk to {place} | {my} badge does not open {place} | share the {any} folder with {group}
    """,
    "home": """
        play some {any} music | set an alarm for {number} | turn off the lights | what should I cook with {any} | how
        many calories are in {any} | add {any} to {my} shopping list | set a timer for {number} minutes | what is
        {number} times {number} | convert {number} {any} to {any} | how do you say {any} in {any} | spell {any} |
        define {any} | who invented {any} | tell me a joke | flip a coin | tell me about {any} | change the oil in
        {my} car | when do {my} tires need air | {my} car {symptom} | find {my} phone | call {person_noun} | recipe
        for {any} | what song is this | what is {any} made of | how long do I bake {any} | is {any} healthy | what day
        is it | read {my} messages | next song
    """,
    "chat": """
        are you a robot | what is your name | who made you | yes | no | maybe | goodbye | thank you | never mind |
        repeat that | what can you do | stop
    """,
    "short": """
        {thing} {state} | {thing} | {any} {thing} | {thing} {any} | {adjective} {thing} | {do} {thing} | {device}
        {symptom} | {any} | {trouble_noun}
    """,
    "note": """
        {any} {any} | {any} {any} {any} | {any} and {any} | the {any} of the {any} | {any} {thing} {any} | {do} {any}
        {any} | {any} for {any} in {place}
    """,
    # Words without grammar, as in tickets without function words.
    "loose": """
        {do} {thing} {group} {day} please {do} {device} | hello please {do} {any} {thing} regards {group} | {when}
        {thing} {any} {any} {group} thanks | {any} {any} {any} {any} {any} {any} | {thing} {thing} {any} {fails}
        {device} | re {thing} {any} {day} dear {any} {any} kind regards manager | {any} {do} {any} {thing} {any}
        {device} {any} | {device} {any} {state} {any} {day} {number} {any}
    """,
    "do": """
        change | cancel | update | find | open | delete | check | get | use | send | remove | add | download | upload
        | print | see | install | activate | return | renew | set up | connect | export | import | order | reset |
        move | share | edit | start | stop | book | fix | replace | transfer | report | configure | track | restore |
        merge | copy | pay | close | create | verify | submit | schedule | approve | unlock
    """,
    "thing": """
        account | order | password | invoice | card | subscription | address | ticket | application | password reset |
        contract | phone number | e-mail | file | report | password link | profile | booking | claim | backup |
        licence | website | app | dashboard | calendar | document | appointment | policy | payment | message | folder
        | database | integration | server | mailbox | form | reservation | warranty | certificate | audit log |
        newsletter | loyalty points | signature | username | notification | meeting | permission | spreadsheet |
        voucher | plan | device | data | setting | project | workflow | chart | export | attachment | plugin | sensor
        | campaign | survey | membership | table | label | visa
    """,
    "device": """
        laptop | phone | printer | router | screen | keyboard | mouse | headset | tablet | computer | scanner | camera
        | modem | projector | monitor | docking station | server | television | washing machine | fridge | car |
        speaker | charger | battery | desktop | machine
    """,
    "symptom": """
        does not start | is very slow | keeps freezing | shows a blue screen | makes a noise | is overheating | does
        not charge | lost connection | restarts by itself | is broken | prints blank pages | has no sound | is not
        recognised | flickers | smells of smoke | is out of warranty | cannot connect to the network | drops the call
        | runs out of battery | needs an update | needs a new part | is offline
    """,
    "the_system": """
        the website | the app | our production system | the VPN | the API | the mail server | the database | the
        payroll system | the CRM | the booking page | the checkout | the shared drive | the platform | the network |
        the wifi | the data warehouse | the reporting tool | the cloud service | the phone system | the login page |
        the online store | the mobile app | the firewall | the backup | the {any} system
    """,
    "trouble_noun": """
        an error | a bug | an outage | a delay | login problems | connection problems | a security breach | data loss
        | slow performance | crashes | a timeout | a sync problem | a mistake | a warning | damage | a mismatch |
        missing data | wrong figures | spam | a virus | downtime | issues
    """,
    "cannot_work": """
        cannot work | is blocked | is waiting | lost a day | has no access | loses money | is angry | must use paper
    """,
    "fails": """
        does not work | crashes | is down | shows an error | fails | stopped working | is not loading | hangs | keeps
        logging me out | is missing | won't open | is stuck | gives the wrong result | has disappeared | is too slow |
        freezes | was rejected | is not available | is offline
    """,
    "state": """
        broken | lost | damaged | stolen | late | blocked | expired | wrong | missing | locked | suspended | empty |
        full | dirty | cracked | incomplete | pending | not valid | out of stock | not delivered | open | duplicated |
        frozen | compromised
    """,
    "done": """
        cancelled | rejected | changed | delayed | declined | deleted | closed | approved | refunded | charged | moved
        | opened | blocked | sent
    """,
    "adjective": """
        new | old | premium | free | basic | second | wrong | last | business | annual | standard | missing | monthly
        | digital | shared | {any}
    """,
    "group": """
        team | customer | company | family | department | student | charity | finance team | support team | staff |
        school | hospital | sales team | engineer | contractor | client | user | manager | office | marketing team |
        accountant | developer | warehouse
    """,
    "person_noun": """
        my wife | my husband | my son | my daughter | a colleague | my boss | a friend | my mother | an intern | the
        new contractor | john | maria
    """,
    "place": """
        london | paris | germany | new york | canada | the office | the kitchen | spain | tokyo | india | my home |
        mexico | the airport | the store | chicago | italy | the warehouse | australia | berlin | the second floor |
        africa | texas | dublin | china | the meeting room | {any}
    """,
    "when": """
        today | yesterday | tomorrow | last week | this morning | on {day} | for {number} days | since {day} | next
        month | in {number} hours | again | two weeks ago | at noon | right now | every day | by tonight | at the
        weekend | last year | after work | before {day} | in may
    """,
    "day": "monday | tuesday | wednesday | thursday | friday | saturday | sunday | march | july | december",
    "number": "2 | 3 | 5 | 10 | 12 | 25 | 100 | 404 | 2021 | seven | three | several | many | all | both",
    "my": "my | my | my | our | the | the | your | this | his | her | that",
    "a": "a | a | a | another | one | some | any | no",
    "is": "is | is | are | was | would be",
}

_CHOICES = {
    name: [re.sub(r"\s+", " ", choice.strip()) for choice in choices.split("|")] for name, choices in GRAMMAR.items()
}
_SLOT = re.compile(r"\{(\w+)\}")
SEED = 7


def sentences(count: int, vocabulary: list[str]) -> Iterator[str]:
    """Yields `count` texts. {any} becomes a word of `vocabulary`, which is sorted by frequency; frequent words come up more."""
    generator = random.Random(SEED)  # noqa: S311 - the texts must be the same each time

    def word() -> str:
        return vocabulary[int(len(vocabulary) * generator.random() ** 1.5)]

    def expand(name: str) -> str:
        if name == "any":
            return word()
        return _SLOT.sub(lambda slot: expand(slot[1]), generator.choice(_CHOICES[name]))

    for _ in range(count):
        yield expand("text")

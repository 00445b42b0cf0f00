"""The word lists of triage.

The lists hold general words of customer service, none of a single company. Their weights are in ai/triage/rules.py.
"""

import re

from ai.triage.phrases import PhraseFinder, PhraseList

# Texts are in lower case, with single spaces and straight apostrophes. A word in braces stands for a shared piece.
_PIECES = {
    "{cannot}": r"(?:(?:can ?not|can'?t|could not|couldn'?t|unable to|not able to|can no longer|won'?t let me"
    r"|doesn'?t let me|does not let me|failed to|impossible to)(?: even| still| seem to| currently| now)?)",
    "{login}": r"(?:log[ -]?(?:in|on)|sign[ -]?(?:in|on))",
    "{not}": r"(?:not|never|hasn'?t|haven'?t|didn'?t|don'?t|doesn'?t|isn'?t|wasn'?t|won'?t)",
    "{fails}": r"(?:not work(?:ing)?|(?:doesn'?t|isn'?t|won'?t|don'?t|stopped|never) work(?:ing|s)?"
    r"|fail(?:s|ed|ing|ures?)?|crash(?:es|ed|ing)?|broken?|froze|frozen|freez(?:es|ing)|hangs?)",
    "{money}": r"(?:money|refund|payment|payout|loan|deposit|transfer|funds|cash|salary|compensation|reimbursement)",
    "{my}": r"(?:my|our|the|a|an|this|your)",
    "{somebody}": r"(?:(?:a|an|the|any|some|another|our|your|my|one of your) )?(?:(?:live|real|human|actual|free|available) )*"
    r"(?:human(?: being)?s?|persons?|people|agents?|operators?|representatives?|reps?|managers?|supervisors?|advis[eo]rs?"
    r"|assistants?|specialists?|some(?:one|body)|any(?:one|body)|customer (?:service|support|care|relations|assistance)"
    r"|account manager|(?<!my ){official}|whoever)",
    "{own_people}": r"(?:(?:my|our) (?!account |personal )(?:\w+ )?(?:people|(?:manager|supervisor|advis[eo]r|agent|assistant"
    r"|rep(?:resentative)?|team|partner)s?|team lead(?:er)?s?|{official}))",
    "{my_contact}": r"(?:(?:my|our) (?:advis[eo]r|agent|rep(?:resentative)?)(?!\w))",  # may be one of the company
    "{case}": r"(?:case|chat|call|conversation|complaint|request|ticket|issue|question|problem|matter|[ei]nquiry|query|claim)",
    "{desk}": r"(?:(?:a|the|your|another) (?:\w+ ){0,2}(?:team|department|desk|office))",
    "{hand_over}": r"(?:connect|transfer|put|pass|hand|direct|forward|switch|route|assign)(?:ing)?",
    "{official}": r"(?:boss(?:es)?|management|staff(?: members?)?|employees?|colleagues?|technicians?|engineers?|consultants?"
    r"|experts?|directors?|member of (?:your |the )?(?:staff|team)|person in charge|(?:next|second|higher) level)",
    "{speak}": r"(?:spe[ae]?k(?:ing)?|spaek|speack|spek|tal[ck]k?(?:ing)?|tlk|tlak|taok|takl|chat(?:t?ing)?|chay|cht)",
    "{being}": r"(?:(?:real|actual|live|living) )?(?:(?:chat|ro)?bot|human|person|machine|computer|program|ai|automat(?:ed|ion)"
    r"|artificial intelligence|real)",
    "{machine}": r"(?:(?:chat|ro)?bots?|machines?|computers?)",
    "{role}": r"(?:human|person|agent|assistant|operator|representative|rep|supervisor|advis[eo]r|consultant|specialist|expert"
    r"|employee|technician|customer (?:service|support|care)(?: (?:agent|rep|person))?)",
    "{time}": r"(?:minutes?|mins?|hours?|hrs?|days?|weeks?|months?)",
    "{several}": r"(?:three|four|five|many|several|\d+)",
    "{deal}": r"(?:payment|purchase|charge|transaction|withdrawal|transfer)s?",
    "{kind_of}": r"(?:(?:live|real|human) )*",
    "{lawyer}": r"(?:lawyers?|attorneys?|solicitors?)",
}


def family(phrases: str, *, strong: str = "", signs: str = "") -> PhraseList:
    """The list of these phrases, which are separated by " / " and match whole words; `signs` match within words."""
    strong_phrases, weak_phrases = _phrases(strong), _phrases(phrases)
    return PhraseList((*strong_phrases, *weak_phrases), len(strong_phrases), signs)


def _phrases(text: str) -> list[str]:
    for name, piece in _PIECES.items():
        text = text.replace(name, piece)
    return " ".join(text.split()).split(" / ") if text else []


# A strong word outweighs two weak ones. In a draw the first category wins.
CATEGORIES: dict[str, PhraseList] = {
    "account": family(
        strong=r"""
            (?:reset|forgot(?:ten)?|change|recover|restore|lost|new) (?:{my} )?(?:passcode|pin|username) / password /
            locked out / (?:user )?profile / sign(?:ing)?[ -]?up(?! (?:for|to)) / registration /
            (?:new|close|delete|remove|open|create|user|switch|free|pro|standard|premium) (?:\w+ )?account /
            user account / invit(?:e|ing|ation) / personal (?:data|details|information) /
            (?:change|update|edit|modify|correct|new|wrong)(?: \w+){0,2} (?:address|e-?mail|name|number|details) /
            hacked / two[ -]factor|2fa|verification code
        """,
        phrases=r"""
            accounts? / register(?:ed)? / users? / admin(?:istrator)? / username / permissions? / verify / validate /
            my (?:number|details) / address / member(?:ship)?
        """,
    ),
    "billing": family(
        strong=r"""
            invoic(?:e|es|ed|ing) / bill(?:s|ed|ing)? / refund(?:s|ed|ing)? / re-?imburse(?:d|ment)?s? / payments? /
            repayments? / (?:over|under|double )?charged / (?:extra|annual|late|cancellation|wrong) (?:charge|fee)s? /
            debit(?:ed|s)? / loans? / receipts? / chargebacks? / direct debit / (?:termination|withdrawal) fees? /
            paid (?:twice|already|in full|back) / subscription fees? / money back / payout / penalt(?:y|ies)
        """,
        phrases=r"""
            pay(?:s|ing|ed)? / paid / charges? / fees? / credit / money / cash / due / overdue / balance /
            compensation / transactions? / owe / amount / subscriptions? / (?:debit|bank) card / clearance
        """,
    ),
    "technical": family(
        strong=r"""
            {cannot} (?:access|{login}|connect|open|load|upload|download|install|print|sync|use) /
            {login} (?:page |screen )?(?:is |does |keeps )?(?:{fails}|problems?|issues?|errors?) / {fails} /
            errors?(?: message| code)? / bugs? / outages? / downtime / (?:is|are|was|went|goes) down / servers? /
            software / api / install(?:s|ed|ing|ation)? / vpn / wi-?fi / connectivity / malfunction\w* /
            integrat(?:e|ion|ing) / (?:broken|cracked|blue|black) screen / uploads?(?:ing)? / timeouts? / latency /
            not (?:respond(?:ing)?|load(?:ing)?|sync(?:ing)?) / firmware / drivers? / exports?(?:ing)?
        """,
        phrases=r"""
            apps? / website / devices? / screen / laptop / computer / phone / router / printer / slow / update /
            version / system / network / technical / configur\w+ / database / login / log ?in / security / issues? /
            problems? / hardware / restart(?:ed)? / button
        """,
    ),
    "sales": family(
        strong=r"""
            pric(?:e|es|ing) / quot(?:e|es|ation) / discounts? / demos? / (?:free )?trial / licen[cs]es? /
            (?:buy|buying|purchas(?:e|ing)|order(?:ing)?) (?:a|an|some|new|more|the|your|another)(?: \w+)? /
            how much (?:is|are|does|do|would|for) / sign(?:ing)?[ -]?up (?:for|to) (?:a|an|new|your|the)(?: \w+)? /
            (?:which|what|basic|team|enterprise) plans? / interested in / new (?:\w+ )?(?:service|connection|customer) /
            special offers?|an offer / in stock / sales (?:team|person|rep\w*) / pre-?sales / brochure / upgrade (?:to|my plan)
        """,
        phrases=r"plans? / buy / purchase / offers? / cost / upgrade / products? / packages? / available / rates?",
    ),
    "general": family(
        strong=r"""
            (?:business|opening|office|working) hours / (?:human|live|real) (?:agent|person|operator) / feedback / newsletter /
            (?:speak|talk|chat)(?:ing)? (?:to|with) (?:a|an|the|some(?:one|body)|your)(?: \w+)? / complaints? / complain /
            deliver(?:y|ed|ies) / (?:track|where is|status of)(?: my| the)? (?:order|parcel|package|claim) / shipping /
            ship(?:ment|ped) / leav(?:e|ing) (?:a )?review / where are you (?:located|based)
        """,
        phrases=r"orders? / arriv(?:e|es|al) / item / operator / agent / contact / claim",
    ),
}

# Words that always win: a person must see the ticket at once, and no model can lower its priority.
RISKS: dict[str, PhraseList] = {
    "self-harm": family(r"""
        (?:kill|hurt|harm)(?:ing)? myself / suicid(?:e|al) / end(?:ing)? (?:my life|it all) / self[ -]harm(?:ing)? /
        i (?:just )?(?:want|wish) to die / (?:don'?t|do not) want to live(?! (?:in|at|with))
    """),
    "safety": family(r"""
        gas leak / smell(?:s|ing)? (?:of )?(?:gas|burning|smoke) / (?:caught|on|catch(?:es)?|catching) fire /
        smok(?:e|ing) (?:is )?com(?:es|ing) / electric(?:al)? shock / electrocuted / injur(?:ed|y|ies) / (?:un|not )safe /
        danger(?:ous)? / explo(?:ded|ding|sion) / ambulance / medical emergency / burn(?:ed|t) (?:my|me|his|her)
    """),
    "fraud": family(r"""
        (?<!anti[ -])fraud(?:ulent|ulently|sters?)?(?! (?:prevention|protection|detection|policy|department|team)) /
        scammed / unauthori[sz]ed (?:\w+ )?(?:transactions?|charges?|payments?|access|withdrawals?|purchases?|use) /
        (?:did not|didn'?t|never) (?:authori[sz]e|(?:make|made) (?:this|that|these|those) {deal}|approve this) /
        {deal} (?:that |which )?i (?:did not|didn'?t|never|haven'?t) (?:ma[kd]e|authori[sz]ed?|approved?) /
        (?:suspicious|strange|unknown|unfamiliar) (?:activity|{deal}) / identity theft /
        someone (?:else )?(?:has |is |have )?(?:used|using) (?:my|our) / impersonat(?:ed|ing)
    """),
    "stolen": family(r"""
        stolen / stole (?:my|our|the) / (?<!anti[ -])theft(?! (?:insurance|protection|prevention|cover|alarm)) /
        robbed / (?:was|been|got) mugged
    """),
    "hacked": family(r"""
        hack(?:ed|ers?) / hacking (?:my|our|into) /
        (?:account|password|card|data|system)s? (?:is |was |were |has been |have been )?compromised / phished /
        phishing (?:mail|e-mail|email|attack|link|message) / ransomware / data (?:breach|leak) / security breach
    """),
    "legal threat": family(r"""
        legal (?:action|proceedings|steps) / (?:sue|suing) (?:you|your company|the company) / lawsuit / small claims /
        (?:my|our) {lawyer} / (?:call|contact|hire|see|get|involve|speak to|consult)(?:ing)? {my} {lawyer} /
        (?:take|taking|see|bring) you (?:to|in) court / ombudsman / trading standards / press charges /
        (?:report|reporting) (?:you|this|it) to the (?:police|authorities|regulator) /
        go(?:ing)? to the (?:police|press|regulator)
    """),
}

# From the most to the least urgent. The first level with a word that is not negated decides.
URGENCY: dict[int, PhraseList] = {
    5: family(r"""
        blocked(?! (?:users?|numbers?|contacts?|callers?|senders?|list)) / locked out / (?:lost|no|without) access /
        {cannot} (?:access|{login}|get in(?:to)?|reach|open my account|enter|work) / denied access|access denied /
        account (?:is |was |has been |got )?(?:locked|frozen|suspended|disabled) / outages? /
        data loss|lost (?:all )?(?:our|my) data /
        (?:production|(?:web)?site|systems?|servers?|service|network|everything|platform) (?:is |are |went )?down /
        emergency(?! (?:contacts?|numbers?|exits?)) / {login} (?:is |does |keeps )?{fails} /
        (?:no|not one|none of (?:our|the)) (?:\w+ )?can (?:work|leave|open|access|use|pay|order|log|get|reach|see|send|be reached) /
        (?:nobody|no one)(?: \w+){0,4} can (?:work|open|access|use|pay|order|log|get|reach|see|send|call) / cut off from /
        all (?:our |the )?(?:tills|shops|stores|terminals|sites|offices|phones|systems|users|customers)(?: \w+){0,3}
        (?:{fails}|{cannot}|refuse|out|off) / (?:completely|totally|entirely) (?:down|offline|cut off|dead) /
        encrypted (?:our|my|all) /
        (?:emptied|drained|cleared out) {my} (?:\w+ )?account / {my} (?:wallet|cards?|purse)(?: \w+){0,3} taken
    """),
    4: family(r"""
        turned down / (?:is|are|went|gone) offline / not (?:been )?(?:granted|covered|accepted) /
        (?:will not|won'?t|does not|doesn'?t) (?:cover|approve|accept|refund|pay) / told (?:me )?no / no reason (?:was )?given /
        without (?:a|any|giving a) (?:reason|warning|notice) / appeal(?:ed|s)? /
        (?:review|reconsider)(?:ed)? (?:of )?{my} (?:decision|case|application|claim|account) / reconsider(?:ed)? /
        overturn(?:ed)? / (?:object|objection) to (?:the|your|this) (?:decision|letter|notice) /
        paid(?: \w+){0,6} (?:but|yet|and still|and nothing|and got nothing) /
        (?:although|though|even though) (?:i|we) (?:have )?paid / credit (?:bureau|agency|file) / collectors? /
        collection agency|debt collection|(?:in|to|into) collections / bailiffs? / repossess\w* / foreclos\w* / evict\w* /
        harass\w* / threat(?:en(?:ed|ing|s)?|s) / intimidat\w* / discriminat\w* / abused / insulted by /
        (?:second|third|fourth|fifth|sixth|\d+(?:nd|rd|th)) (?:time|mail|e-?mail|call|request|reminder|message|attempt) /
        (?:asked|called|written|mailed|phoned|told you|contacted you)(?: \w+){0,2} (?:twice|{several} times) / again and again /
        (?:due|starts?|leaves?|closes?|ends?|is) (?:today|tonight|tomorrow) / in (?:an|one|two|three|\d) hours? / newborn /
        (?:no|without) (?:heating|hot water|power|electricity|medication|medicine|insulin|oxygen) / reject(?:ed|ion|s)? /
        declin(?:ed|es) / denied / refus(?:ed|es)(?! to work) / (?:no|missing) {money}(?: sent| yet)? /
        {not} (?:yet )?(?:been )?(?:receiv(?:e|ed)|arriv(?:e|ed)|delivered|credited|approved|paid out|refunded|come) /
        {not} (?:get|got|gotten|see|seen) (?:my|the|any|our|it)(?: {money})? / not (?:satisfied|acceptable) /
        wait(?:ing)? (?:for|on) {my} {money} / still (?:waiting|no|nothing|missing|haven'?t|have not|not) /
        where(?:'s| is| are) my {money} /
        {money} (?:has |have |is |was |did )?{not} (?:been |yet ){0,2}(?:sent|come|received|arrived?|paid) / dispute /
        {cannot} (?:pay|use|connect|send|withdraw|order|check ?out) / (?:is|are|was|went) down /
        (?:do not|don'?t) recogni[sz]e (?:\w+ )?{deal} / stranded / (?:a|on) (?:hold|block|freeze|stop) on my (?:\w+ )?account /
        (?:lost|misplaced) {my} (?:\w+ )?(?:card|wallet|passport|luggage|suitcase|baggage|bags?) /
        (?:freeze|block) {my} (?:\w+ )?(?:card|account) /
        (?:major|serious|critical|severe) (?:\w+ )?(?:issue|problem|disruption|failure|incident)s?
    """),
    3: family(r"""
        late / delay(?:s|ed|ing)? / overdue /
        (?:(?:i|we|they)'?ll|will|gonna|promise to|going to) (?:be )?(?:pay(?:ing)?|clear|settle|deposit|finish) /
        promis(?:e|ed|es) / bear with / (?:extra|more) time / (?:an|payment|deadline) extension / difficult(?:y|ies)? /
        struggl(?:e|ing) / owe / {fails} / errors? / bugs? / problems? / issues? / trouble / wrong(?:ly)? / incorrect /
        missing / lost / stuck / (?:over|double )charged / (?:charged|billed|debited|paid)(?: \w+){0,2} (?:twice|extra|for) /
        slow / penalt(?:y|ies) / suspen(?:ded|sion) / complain(?:t|ts|ing)? / disappoint(?:ed|ing) / frustrat(?:ed|ing|ion) /
        unhappy / angry / any (?:response|update|news|feedback) / no (?:response|reply|answer) /
        {not} (?:get|respond|reply|understand|been paid) / {cannot} (?!wait)\w+ / disrupt(?:ed|ion|ions|ing) /
        vulnerabilit(?:y|ies) / punish\w* / another \d+ (?:more )?days / deadline /
        by (?:tomorrow|tonight|noon|end of (?:the )?day) / expecting to (?:pay|clear|settle)
    """),
    2: family(
        r"""
        how / what / whats / when / where / which / who / why / can (?:i|you|we|u) / could (?:you|i|we) / would / is there /
        do (?:you|i) / are (?:you|there) / please / pls|plz|pl / kindly / change / update / request(?:ed|ing)? / need / want /
        wanna / help / questions? / information / require / send / advise / clarif\w+ / option
    """,
        signs="?",
    ),
    1: family(
        r"""
        thanks? / thank(?:ing)? you / thx|tanx|ty / appreciat(?:e|ed|ion) / ok(?:ay)? / alright / great / perfect / awesome /
        solved / works? (?:now|again|fine|great) / god bless / well done / good job / got it / love(?:ly)? / never ?mind /
        no (?:rush|hurry) / have a (?:nice|great|good|lovely) \w+ / found it / the best /
        just (?:wanted|wanna|want) (?:to )?say / all good
    """,
        signs="👍🙏❤😊🎉",
    ),
}

HASTE = family(r"""
    urgent(?:ly)? / asap / as soon as possible / immediate(?:ly)? / right away|right now / desperate(?:ly)? /
    emergency(?! (?:contacts?|numbers?|exits?)) / critical(?:ly)? / at once / time[ -]sensitive
""")
SEVERAL = family(r"""
    (?:my|our|whole|entire) (?:whole |entire )?(?:team|company|office|department|staff|organi[sz]ation) /
    (?:all|many|several) (?:of )?(?:our |my |the )?(?:users?|customers?|colleagues|employees|people|staff) /
    everyone|everybody / all requests / production
""")

POSITIVE = family(
    r"""
    happy / great(?:ly)? / good(?! (?:morning|afternoon|evening|day|night)) / excellent / awesome / amazing /
    (?<!would )love(?:d|ly)? / perfect(?:ly)? / wonderful / fantastic / best(?! (?:regards|practices?|way|wishes)) /
    helpful / satisfied / pleased / impressed / brilliant / nice / glad / enjoy(?:ed)? / appreciate(?:d)? / god bless /
    well done / kudos / solved / works? (?:now|again|great)
""",
    signs="👍❤😊😍🎉☺😃💕",
)
# Polite words are positive only in a text without a request: "please send it, thanks" is neutral.
POLITE = family("thanks? / thank(?:ing)? you / thx|tanx|ty")
NEGATIVE = family(
    r"""
    disappoint(?:ed|ing|ment) / frustrat(?:ed|ing|ion) / ang(?:ry|er) / annoy(?:ed|ing) / upset / unhappy / furious /
    terribl[ey] / horribl[ey] / awful / worst / worse / bad(?:ly)? / poor(?:ly)? / rude / useless / unacceptable / ridiculous /
    pathetic / disgust(?:ed|ing) / hate / sucks? / nightmare / joke / shame(?:ful)? / nuisance / abus(?:e|ed|ive) /
    wast(?:e|ed|ing) / unfair / unprofessional / incompetent / lied|lying|liars? / cheat(?:ed|ing)? / scam(?:med)? / punish\w* /
    fed up / sick of / tired of / never again / this is the last time / ruined / empty promises / no (?:help|response|reply) /
    insult\w* / inexcusable / wtf|damn|goddamn|fucking|bloody|crap / for (?:over )?(?:\d+|two|three|four) hours / on hold /
    (?:{not} (?:happy|good|satisfied|helpful|acceptable|impressed|pleased)) / (?:still|yet) no / look down on
""",
    signs="😡😠👎💔🤬😤😞",
)
# What people write whom a company let down, beside the words of NEGATIVE.
COMPLAINTS = family(
    r"""
    still / again / never / nobody / no one|noone / wait(?:ing|ed) / \d+\+? ?{time} / times already / times now /
    (?:for|over|after|in|past|last|took|takes|been|than) (?:\w+ ){0,3}{time} / (?:second|third|fourth|fifth) time /
    refund(?:ed|s)? / money back / reimburs(?:e|ed|ement) / broken? / broke / late / delay(?:ed|s)? / cancel+ed / lost /
    missing / missed / ignor(?:e|ed|ing) / (?:hung|hangs?|hanging) up / disconnect(?:ed|s)? / on hold / stuck / stranded /
    wrong / damaged / defective / faulty / why / fix / supposed to / promis(?:e|ed) / {fails} / {not} work / {cannot} /
    {not} (?:get|got|respond|reply|answer|help|receiv(?:e|ed)|arriv(?:e|ed)|come|care|happen(?:ed)?|know) /
    no (?:help|answer|response|reply|refund|explanation|info(?:rmation)?|way|update) / won'?t / refus(?:e|es|ed) / unable /
    complain(?:t|ts|ed|ing)? / sort (?:it|this) out / what(?:'s| is) (?:going on|happening|wrong) / seriously / really\? /
    any(?:one|body) there / losing|lose / overcharged / instead of / another (?:airline|company|provider|bank|shop) /
    switch(?:ing)? to
"""
)
# A request for a person, now or instead of a machine. A report of an earlier call is not a request.
WANTS_HUMAN = family(r"""
    {speak} (?:\w+ly )?(?:to|with|wth) {somebody} / {speak} (?:to|with) you (?:on|over|by) (?:the )?phone /
    whom? (?:can|could|do|should) (?:i|we) (?:{speak} (?:to|with)|call|ring|phone) /
    hold of (?:{somebody}|your (?:\w+ ){0,2}(?:people|team|department|office)) /
    (?:^|(?<=\. )){role}(?:,? (?:please|now))?[.!]*$ / (?:^|(?<=\. ))(?:human|operator|agent)(?=[.!]) /
    (?:want|need|wish|demand) to {speak} (?:\w+ly )?(?:to|with)
    (?:them|him|her|(?:your|the) (?:\w+ ){1,2}(?:department|team|office)) /
    (?:a (?:word|conversation|talk)|discuss(?: \w+){0,3}|deal(?:ing)? directly) with {somebody} /
    explain (?:this|it)(?: \w+)? to {somebody} / escalate (?:\w+ )?(?:please|now) /
    number (?:where|on which|(?:of|for) {somebody} (?:i|we) can) / (?:contact|reach|call)(?:ing)? (?:a|an) {kind_of}{role} /
    (?:people|persons?|some(?:one|body)|any(?:one|body)) (?:that |whom? )?(?:i|we) (?:can|could)
    (?:actually )?(?:call|ring|phone|speak|talk) /
    (?:with|by) (?:a|an|your|one of your) {kind_of}{role},? (?:instead|directly|not) /
    (?:get|bring|want|need|give me) an? {kind_of}(?:human|person|agent|operator|representative|supervisor|manager)(?=[.!,?]|$) /
    (?:contact|reach|call|get|need|want|find|have)(?:ing)? {somebody}
    (?:now|please|to (?:call|ring|speak|talk|phone)|on the (?:phone|line)) /
    (?:how|want|need|like|(?<!do i )have to|havegot|help|assist\w*|trying|try|can i|could i|where)(?: \w+){0,7}
    (?:contact|reach)(?:ing)? (?!(?:persons?|people) (?:of|for|at|in)(?!\w))(?:so\w{4,7}|{somebody}) /
    (?:wants?|needs?|demand|prefer|like|g(?:et|ive) me) an?
    {kind_of}(?:human|person|operator|representative)(?! (?:for|who|to|added|as|with|in)) /
    {hand_over} (?:(?:me|us)(?: \w+)?|(?:this|my)(?: (?:\w+ )?{case})?) (?:to|with|over to|on to) {somebody} /
    (?:how (?:can|do|could) (?:i|we)|want|like|need|wish|ask|please)(?:ed|ing)?(?: \w+){0,2} (?:be|get)(?: me)?
    (?:connected|transferred|put through|passed|handed)(?=[.!?,]|$| (?:on |over )?(?:to|with) (?:{somebody}|{desk})(?!\w)) /
    (?:get(?:ting)?|put|going) (?:me |us )?through to (?:{somebody}|(?:your |the )?(?:\w+ )?(?:support|team|department)) /
    get(?:ting)? (?:past|around|rid of) (?:this|the|your) {machine} / no (?:more )?(?:chat|ro)?bots?,? (?:please|pls) /
    (?:^|(?<=[.!?,] )|(?<=please )|(?<=want )|(?<=said ))no (?:more )?(?:chat|ro)?bots?(?=[.!?,]|$) /
    (?:which|what) number (?:do|can|should|must) (?:i|we) (?:dial|call|ring|phone) /
    (?:is|are) (?:there )?{somebody} (?:there )?(?:available|free|around) (?:to|for a (?:call|chat)|now|right now) /
    (?:have|let|could|can|would) {somebody}(?: please| actually)?
    (?:look|read|answer|reply|respond|decide|handle|get back|reach out) (?:at|into|my|this|it|to me|to us|for me) /
    (?:can|could|would|will|may|have|ask|get|want|need|like|tell|let|please|pls)(?: \w+){0,4}
    (?:some(?:one|body)|any(?:one|body)|managers?|supervisors?|{official}|{role})(?: from your \w+| in charge)?(?: please)?(?: to)?
    (?:call|ring|phone|contact|reach out to|get in touch with|get back to) (?:me|us|my (?:office|mobile|landline)) /
    (?:arrange|book|schedule|set up|request|like|want|need|appreciate|expect|love)(?: \w+){0,2} an? (?:\w+ )?call
    (?:with|from) (?:{somebody}|(?:your|the) (?:\w+ )?(?:team|desk|department|office)) /
    (?:like|want|need|wish|prefer|expect) to be (?:called|rung|phoned|contacted) (?:back|by {somebody}) /
    (?:(?:can|could|may) (?:i|we|you)|want|(?<!i )like|prefer|rather|need)(?: \w+){0,5}
    (?:talk|call|speak|chat|explain|discuss|settle)(?: (?:to|with|about|it|this|that|things|you|me|us|directly|{somebody})){0,3}
    (?:on|over|by) the phone / let {somebody} (?:answer|reply|respond|decide) /
    (?:just|please|pls|kindly) (?:call|ring|phone) (?:me|us) / (?:human|live|personal) (?:support|help|assistance) /
    (?:transfer|connect) me to (?:the|your) (?:\w+ )?(?:team|department) / put (?:me|us)? ?through /
    escalate (?:this|it|me|my \w+)(?: \w+)? to {somebody} / another (?:agent|human) (?:please|to) /
    (?:give|get|find|send)(?:ing)? (?:me|us) (?:through to |to )?{somebody} / call[ -]?back from (?:a|an|the|your) /
    (?:human|live|real|actual) (?:agent|person|human|operator|representative|being|people|rep) / humans? please /
    human(?=!) / (?:call|ring|phone) (?:me|us) (?:back|please|now|up|today|tomorrow|asap|(?:on|at|under) \+?\d[\d -]*) /
    call[ -]?back please / (?:request|like|want|need|arrange|book|get|have)(?: \w+){0,2} (?:a )?call[ -]?back /
    (?:a )?(?:call|ring) from (?:a|an|one of your|your|some) (?:\w+ )?{role}s? / give (?:me|us) a (?:call|ring) /
    (?:no more|stop the|stop these|enough of (?:this|the|your)|instead of (?:a|this|the)|not a) {machine} /
    (?:don'?t|do not|rather not|no longer|refuse to)(?: want(?: to)?)?
    (?:(?:{speak}|discuss(?: \w+)?|deal|explain(?: \w+)?) (?:to|with) )?(?:a|an|this|your|any) {machine}
""")
# Words without which likeness to a request for a person does not count.
HUMAN_CUE = family(r"""
    humans? / persons? / people / (?!customer){role}s? / managers? / colleagues? / staff / team lead(?:er)? / some(?:one|body) /
    any(?:one|body) / hotline / (?:by|on the) phone / {machine} / (?:call|ring|phone|contact|reach)(?:ing)? (?:me|us|you) /
    call[ -]?back / transfer / escalat(?:e|ed|ion)
""")
# What sounds like a request for a person and is none: about what answers, goodbyes, hours, earlier talks, own people, a product.
NO_REQUEST = family(r"""
    (?:are|r|aren'?t) (?:you|u|we)(?: \w+){0,5} {being} / (?:is|was|isn'?t) (?:this|it|that)(?: \w+){0,3} {being}(?: \w+){0,4} /
    (?:you'?re|you are|could you be|be|you)(?! (?:connected|transferred|get|give|find))(?: \w+){0,2} (?:a|an) {being} /
    {being} or (?:a |an )?{being} / am i (?:talking|speaking|chatting|writing|connected|dealing)(?: \w+){0,6} /
    (?:good|great|nice|lovely|awesome|glad|pleasant|pleasure|thanks for|enjoyed|happy)(?: \w+){0,4}
    (?:talk|chat|speak|conversation)(?:ing)?(?: \w+){0,3} /
    (?:talk|speak|chat)(?: \w+){0,2} (?:later|soon|tomorrow|again) / (?:good)?bye /
    (?:call|name) (?:you|me) (?!back|now|on|at|under|please|today|tomorrow|asap|up|over|before|after|between|in|as|about|this)\w+ /
    what (?:can|do|should|shall|may) (?:you|i|we) call (?:me|you) /
    (?:(?:what|which|check|see|the|opening) (?:\w+ )?(?:hours?|hoirs)|(?:what|which) times?)(?: \w+){0,4}
    (?:contact|reach|call|speak|talk)(?:ing)?(?: \w+){0,4} /
    (?:had (?:\w+ ){0,2}(?:word|conversation|talk|chat|discussion|call)|(?:was|were|been|after) {speak}) (?:to|with) {somebody} /
    thank(?:s| you) for (?!nothing)\w+ing (?:\w+ ){0,2}(?:to|with|through)(?: to)? /
    (?:i|we) (?:was|were|got|have been) (?:already |just )?put through /
    (?:asked|wanted) to be (?:\w+ ){1,7}(?:yesterday|last \w+|ago)(?!,? (?:but|and (?:nobody|no one|nothing|still))) /
    {speak} (?:to|with) (?!{my_contact}){own_people} / let {own_people} /
    (?:word|conversation|explain \w+|discuss(?: \w+){0,3}) (?:to|with) {own_people} /
    (?:can|could|will|would|may|want|need|ask|tell|have|allow) (?!{my_contact}){own_people} /
    (?<!your )(?:customers|users|visitors|clients|callers)(?: (?:can|could|cannot|can'?t|may|should|who|want|need|try|to)){0,2}
    (?:{speak}|call|contact|reach)(?:ing)?(?: us)?(?: (?:to|with))? /
    (?:how to|(?:how |where )?(?:do|can|could|should|would|may) (?:i|we)) {hand_over}
    (?:this|my) (?!complaint|problem|issue|chat|to |on |over )\w+ /
    (?:app|page|site|form|widget|portal|system|tool|feature|setting)(?: lets|(?: (?:should|must|can|will|to|that)){1,2} let)
    (?!me |us )\w+
""")
# Orders to the triage itself. The classifier does not raise the priority of such a text.
ORDERS = family(r"""
    (?:ignore|disregard|forget|override) (?:(?:all|any|the|your|my|of) )*(?:previous|prior|above|earlier|system) /
    (?:ignore|disregard|forget|override) (?:(?:all|any|the|your) )*(?:instructions?|rules?) /
    (?:set|change|raise|make|mark|output|return|respond with)(?: \w+){0,3} (?:priority|urgency) /
    (?:priority|urgency)["']? ?[=:] ?["']?(?:\d|urgent|high|critical|max\w*) / system prompt /
    you (?:are now|must (?:classify|answer|respond|output|set|rate)) / (?:classify|treat|rate|mark) this (?:\w+ )?as
""")
FINDER = PhraseFinder(
    (
        *CATEGORIES.values(),
        *RISKS.values(),
        *URGENCY.values(),
        *(HASTE, SEVERAL, POSITIVE, POLITE, NEGATIVE, COMPLAINTS, WANTS_HUMAN, HUMAN_CUE, NO_REQUEST, ORDERS),
    )
)

# Words of which almost every English text of four words has one, and few texts in other languages.
ENGLISH = frozenset(
    """the is my to of and for you it with have how this please we are need i can cannot can't not from your what when where
    do be has that there which why want would could help thanks thank been our am im i'm but get was""".split()
)
LETTERS = re.compile(r"[^\W\d_]+(?:'[a-z]+)?")
LATIN = re.compile("[a-z\u00c0-\u024f]")
# A word right after a negation does not count: "not blocked", "no longer blocked", "never been hacked".
NEGATION = re.compile(
    r"(?<!\w)(?:not|no|never|without|nothing|prevent(?:ing)?|avoid(?:ing)?|isn'?t|wasn'?t|aren'?t|weren'?t|hasn'?t"
    r"|haven'?t|don'?t|doesn'?t|didn'?t|won'?t)"
    r"(?: (?:longer|yet|been|being|be|get|got|a|an|any|the|really|very|so|too|all|that|feel))* $"
)
# Signs of the original text, before it is put into lower case.
QUESTION_MARKS = re.compile(r"\?\s?[?!]|!\?")
TWO_CAPITALS = re.compile("[A-Z][A-Z]")  # a quick test before the slower pattern
CAPITALS = re.compile(
    r"\b(?:HELP|PLEASE|URGENT(?:LY)?|NOW|IMMEDIATELY|STOP|EMERGENCY)\b|\b[A-Z]{2,}(?:[ ,!']{1,3}[A-Z]{2,}){3,}\b"
)

"""Finds promises of a refund, a call or an answer by a certain time, and deeds that no model has done, in seven languages.

The patterns match flat text (ai/reply_checks/pleas.py). A model must not promise what no person has agreed to.
"""

import re

_WE = (
    r"\b(?:i|we|they|he|she|someone|somebody"
    r"|(?:an?|our|the|my) (?:\w+ )?(?:agent|team|colleague|manager|person|staff))"
)
_WILL = r"(?:'ll| will| shall|(?:'m|'re| am| are| is) going to|(?:'ve| have| has)(?: (?:just|already|now))?| can)"
_SOON = r"(?: (?:also|now|then|gladly|happily|personally|immediately|soon|fully|be|been))?"
_REFUND = r"(?:refund|credit|reimbursement|compensation|money)"
_REFUNDS = r"(?:refund(?:ed|ing)?|reimburse[ds]?|compensate[ds]?|credit(?:ed)? (?:you|your))\b"
_ISSUE = r"(?:issued?|process(?:ed)?|sen[dt]|approved?|arranged?|initiated?|start(?:ed)?|give|given|submitted)"
_SPAN = r"(?:within|in|by)(?: the next)? (?:\w+ ){0,2}?(?:minute|hour|day|week|tomorrow|today|tonight|monday|friday)"
_ENGLISH_PROMISES = (
    rf"{_WE}{_WILL}{_SOON} {_REFUNDS}",
    rf"{_WE}{_WILL}{_SOON} {_ISSUE} (?:\w+ ){{0,3}}{_REFUND}\b",
    rf"{_WE} (?:just |already )?(?:refunded|reimbursed|credited|called|phoned)\b",
    rf"\b{_REFUND} (?:(?:has|have|will) (?:now |already )?(?:been|be)|was|is being|is) (?:now |already )?"
    r"(?:\w+ed|sent|made|paid|on its way|given|returned)\b",
    r"\byou(?:'ll| will| are going to) (?:get|receive|be given|be) (?:\w+ ){0,2}"
    r"(?:refund(?:ed)?|reimburse(?:d|ment)|money)\b",
    rf"{_WE}{_WILL}{_SOON} (?:call|called|phone|phoned|ring|telephone|visit) (?:you|back)\b",
    r"\bgive you a (?:quick )?(?:call|ring)\b",
    r"\b(?:you(?:'ll| will) (?:get|receive)|expect|scheduled?|arranged?) (?:a |an |your )?(?:\w+ )?"
    r"(?:call|callback|call-back)\b",
    rf"{_WE}{_WILL}{_SOON} (?:get back|reply|respond|answer|contact|reach|follow up|fix|resolve|solve)\b"
    rf"[^.!?]{{0,60}}?\b{_SPAN}",
)
# What a model claims to have done, or to have arranged.
_DONE = (
    r"(?:reset|cancell?ed|forwarded|escalated|connected|transferred|notified|informed|upgraded|downgraded|deleted|activated"
    r"|deactivated|unlocked|unblocked|approved|booked|scheduled|extended|issued|waived|passed (?:this|it|your)|opened a)"
)
_ENGLISH_DEEDS = (
    rf"{_WE}(?:'ve| have| has|'m| am| are)?(?: (?:just|already|now|also|successfully))* {_DONE}\b",
    r"\b(?:i'm|i am|we're|we are) (?:now )?(?:connecting|transferring|forwarding|escalating) (?:you|this|your|it)\b",
    r"\b(?:is|are) joining (?:now|us|you|this|the chat)\b",
    r"\b(?:i|we) (?:can |will |'ll )?(?:guarantee|promise)\b",
    rf"\byou (?:qualify for|are entitled to|are eligible for) (?:a |an |the |your )?(?:full |partial )?{_REFUND}\b",
    r"\b(?:discount|promo|promotion|coupon|voucher) code:? [a-z]*\d+",
    r"\bexpect (?:our|a|an|the) (?:\w+ )?(?:technician|engineer|colleague|agent|driver|courier)\b",
    r"\b(?:money|refund|payment) (?:will|should) be (?:back )?(?:in|on) your (?:account|card)\b[^.!?]{0,30}\bby\b",
)
_OTHER_DEEDS = (
    r"\b(?:ti|vi|le) (?:rimborser|richiamer|telefoner)\w+|\b(?:rimborseremo|rimborsero|richiameremo)\b"
    r"|\b(?:ho|abbiamo) (?:gia )?(?:rimborsato|annullato|inoltrato|trasferito|reimpostato)\b",
    r"\b(?:reembolsaremos|ligaremos|cancelei|reencaminhei|transferi)\b"
    r"|\b(?:vamos|vou|iremos) (?:reembolsar|devolver|ligar|telefonar)\b|\b(?:ja )?(?:reembolsamos|cancelamos)\b",
    r"\b(?:wij|we|ik) (?:zullen|zal|gaan|ga|hebben|heb) (?:\w+ ){0,4}"
    r"(?:terugbetal\w+|terugbetaald|(?:terug)?bellen|gebeld|geannuleerd|doorgestuurd|doorverbonden)\b",
)
_WIR = r"\b(?:wir|ich|(?:unser|das|ein|eine|der|die) (?:\w+ )?(?:team|kolleg\w+|mitarbeiter\w*|support|kundendienst))"
_GERMAN_PROMISES = (
    rf"{_WIR} (?:werden?|wird|haben?|hat|konnen|kann)\b(?! (?:\w+ ){{0,4}}(?:nicht|kein\w*)\b)[^.!?,]{{0,60}}? "
    r"(?:(?:zuruck)?(?:erstatt(?:en|et)|verguten|vergutet|uberweisen|uberwiesen|zahlen|gezahlt)|gutgeschrieben|gutschreiben"
    r"|(?:erstattung|gutschrift|ruckzahlung) (?:veranlass(?:en|t)|ausfuhren|ausgefuhrt|anweisen|einleiten|eingeleitet))\b",
    rf"{_WIR} (?:erstatten?|verguten?|uberweisen?|zahlen?|erstattet) (?:ihnen|dir|den|die|das|ihr\w*|dein\w*)\b",
    r"\b(?:erstattung|ruckerstattung|gutschrift|ruckzahlung|betrag) (?:wurde|wird|ist) (?:\w+ ){0,3}"
    r"(?:veranlasst|ausgefuhrt|angewiesen|uberwiesen|gutgeschrieben|erstattet|unterwegs|genehmigt)\b",
    r"\b(?:sie|du) (?:erhalten|bekommen|erhaltst|bekommst) (?!kein|nicht)(?:\w+ ){0,4}"
    r"(?:erstattung|ruckerstattung|gutschrift|geld|erstattet)\b",
    rf"{_WIR} (?:rufen?|ruft|telefonieren?) (?:sie|dich|mit ihnen|mit dir)\b",
    rf"{_WIR} (?:werden?|wird) (?:sie|dich) (?:\w+ ){{0,4}}(?:an|zuruck)rufen\b",
    rf"{_WIR} (?:melde[nt]?|antworte[nt]?|lose[nt]?|lost|behebe?[nt]?|kontaktiere[nt]?|werden?|wird)\b[^.!?]{{0,60}}?\b"
    r"(?:innerhalb|binnen|in|bis|spatestens) (?:\w+ ){0,3}?"
    r"(?:minuten?|stunden?|tag(?:e|en|s)?|wochen?|werktage?n?|morgen|heute|montag|freitag)\b",
)
_NOUS = r"\b(?:nous|je|on|(?:notre|une?|le|mon) (?:\w+ )?(?:equipe|collegue|agent|conseiller|responsable)|l'equipe)"
_FRENCH_PROMISES = (
    rf"{_NOUS} (?:vous |le |les |l'|vous le )?(?:rembourse|credite|rappelle|appelle|telephone)r(?:ons|ai|a)\b",
    rf"{_NOUS} (?:allons|vais|va) (?:\w+ )?(?:rembourser|crediter|rappeler|appeler|telephoner)\b",
    rf"{_NOUS} (?:vous |l'|les )?(?:avons|ai|a) (?:deja |bien )?(?:rembourse|credite|effectue (?:le|votre|un) remboursement)",
    r"(?<!demande de )\bremboursement (?:a (?:deja |bien )?ete|sera|est|vient d'etre) (?:\w+ ){0,2}"
    r"(?:effectue|emis|traite|verse|accorde|envoye|credite|approuve|cours|route)\b",
    r"\bvous (?:recevrez|obtiendrez|allez recevoir|serez|allez etre) (?:\w+ ){0,3}rembours\w+",
    rf"{_NOUS} (?:vous |le )?(?:repondr|recontacter|contacter|reviendr|resoudr|corriger)(?:ons|ai|a)\b[^.!?]{{0,60}}?\b"
    r"(?:sous|dans|d'ici|avant) (?:\w+ ){0,3}?(?:minutes?|heures?|h|jours?|semaines?|demain|lundi|vendredi)\b",
)
_SPANISH_PROMISES = (
    r"\b(?:reembolsare|devolvere|abonare|llamare|telefoneare)(?:mos)?\b",
    r"\b(?:vamos|voy) a (?:reembolsar|devolver|abonar|llamar|telefonear)(?:le|te|les|lo)?\b",
    r"\b(?:hemos|he) (?:ya )?(?:reembolsado|devuelto|abonado)\b",
    r"(?<!solicitud de )\b(?:reembolso|devolucion) (?:ya )?(?:ha sido|fue|sera|esta|se ha) (?:ya )?"
    r"(?:emitid|procesad|realizad|enviad|aprobad|abonad|tramitad|en camino|en proceso)",
    r"\b(?:recibira|recibiras|obtendra|sera) (?:\w+ ){0,3}(?:reembols\w+|devolucion|dinero)\b",
    r"\b(?:respondere|contactare|resolvere|solucionare|arreglare|pondre)(?:mos)?\b[^.!?]{0,60}?\b"
    r"(?:en|dentro de|antes de|antes del) (?:\w+ ){0,4}?(?:minutos?|horas?|dias?|semanas?|manana|hoy|lunes|viernes)\b",
)
_ALL = (*_ENGLISH_PROMISES, *_ENGLISH_DEEDS, *_GERMAN_PROMISES, *_FRENCH_PROMISES, *_SPANISH_PROMISES, *_OTHER_DEEDS)
_PROMISES = re.compile("|".join(_ALL))


def promises(text: str) -> bool:
    """Whether flat text holds a promise."""
    return bool(_PROMISES.search(text))

"""Allowed and refused sentences of a model's reply, in four languages."""

import pytest

from ai.reply_checks import guards

SEEN = """I was charged 1.234,50 € twice, 29.99 each time, order 80017345521. You can reach me at +49 171 2345678.
My router is 192.168.7.1 and the page was shop.example.com/cart."""

ORDINARY = """
Hello Jane, thank you for writing to us.
Please update to version 2.0 or 10.0.19045.2 and restart the app.
You have version 1.2.3.4 of the firmware; please install 1.2.4.
Open config.py, settings.json, README.md, setup.sh or main.cs, e.g. in Notepad.exe.
The shop opens at 10.30, i.e. an hour later than before, and closes at 18:00.
We are open from 09.00-17.00 and 09:30 - 16:45 on 01.02.2024 and 2024-01-15 10:30.
Add the package Node.js 20 and ASP.NET Core 8.0 first.
Error 0x80070005 or code 00012345 means that the disk is full.
Choose Settings > Apps and/or clear the cache, then try again.
Your order 80017345521 shows 29.99 twice, that is EUR 1234.50 and 1,234.50 euros.
We see the number 0171 2345678 and the page shop.example.com/cart on your ticket.
Is your router still at 192.168.7.1?
Enter your password on the sign-in page and press Enter.
Please reset your password and sign in with the new password.
Please do not send us your password or your card number.
Never share your password with anyone.
We will never ask you to send us your password.
Nobody from our side will ask you to tell us your PIN.
Please leave out full card numbers.
Reply with what it should be, but leave out your password.
Let us know whether the password reset worked.
Please let us know if your card was charged twice.
Tell us which browser you use, and whether your password manager is on.
Please tell us about the password problem in more detail.
Please send us a screenshot of the error and reset your password.
Please reply with the last four digits of the card.
Confirm your new password in the second field.
Please check your card details in the billing settings.
You need your password for that step.
Please tell us the amount, so that a person can look at your refund request.
I cannot promise a refund, but the team can check the invoice.
You can call the function 12 times with 100 items.
Wait 5 minutes, hold the button for 10 seconds and repeat it 3 times.
Pages 12-14 and 20-25 of the manual, chapters 3, 4 and 5, explain it.
It happened in 2023/24 and 2024-2025 with 1 000 000 rows.
Hallo Frau Müller, vielen Dank für Ihre Nachricht.
Bitte installieren Sie Version 2.0, z.B. über Einstellungen > Updates, d.h. ohne Datenverlust.
Öffnen Sie die Datei config.py bzw. start.bat um 10.30 Uhr.
Geben Sie Ihr Passwort auf der Anmeldeseite ein.
Bitte setzen Sie Ihr Passwort zurück und melden Sie sich neu an.
Bitte senden Sie uns niemals Ihr Passwort.
Senden Sie uns Ihr Passwort bitte nicht, auch nicht Ihre Kreditkartennummer.
Wir werden Sie nie nach Ihrem Passwort fragen.
Teilen Sie uns bitte mit, ob das Passwort jetzt funktioniert.
Schreiben Sie uns, wenn das neue Passwort nicht ankommt.
Nennen Sie uns bitte die Rechnungsnummer und das Datum.
Eine Erstattung können wir nicht zusagen; ein Mitarbeiter muss den Fall prüfen.
Ob der Betrag erstattet wird, prüft die Buchhaltung.
Bitte antworten Sie mit der genauen Fehlermeldung.
Der Neustart dauert etwa 5 Minuten.
Bonjour, merci de nous avoir écrit.
Installez la version 2.0, p. ex. depuis le menu Paramètres, à 10.30.
Saisissez votre mot de passe sur la page de connexion.
Ne nous envoyez jamais votre mot de passe ni le numéro de votre carte.
Nous ne vous demanderons jamais de nous communiquer votre mot de passe.
Merci de nous indiquer le numéro de la facture et la date.
Dites-nous si le nouveau mot de passe fonctionne.
Nous ne pouvons pas promettre de remboursement; un conseiller doit vérifier.
Votre demande de remboursement est en cours d'examen.
Le redémarrage prend environ 5 minutes.
Hola, gracias por escribirnos.
Instale la versión 2.0, p. ej. desde Ajustes, a las 10.30.
Introduzca su contraseña en la página de inicio de sesión.
No nos envíe nunca su contraseña ni el número de su tarjeta.
Nunca le pediremos que nos diga su contraseña.
Indíquenos el número de la factura y la fecha.
Díganos si la nueva contraseña funciona.
No podemos prometer un reembolso; una persona debe revisarlo.
Su solicitud de reembolso será revisada por una persona.
El reinicio tarda unos 5 minutos.
请重启应用程序，然后告诉我们您看到的错误信息。
"""

LINKS = """
Go to evil.museum for help.
Go to evil.now and sign in.
Go to evil.guru, please.
See пример.рф for more.
See उदाहरण.भारत for more.
Open 203.0.113.7 in your browser.
Open 203.0.113.7:8080/login please.
Connect to 2001:db8::8a2e:370:7334 instead.
Write to help@evil.support.
Das steht auf hilfe-portal.versicherung genau erklärt.
"""

SUMS = """
We can give you $50 for that.
The plan costs 12 € a month.
That would be EUR 99,90.
It is 20 dollars cheaper.
Das kostet 15 Euro im Monat.
Cela coûte 25 euros par mois.
Cuesta 30 dólares al mes.
It costs £1,500.00 a year.
Das macht CHF 80.-
"""

TELEPHONES = """
Call +1 800 555 0199 for help.
Our number is (030) 1234567.
You find us under 0800 765 432 10.
Dial 555-0199 now.
Ring 1-800-555-0199.
Rufen Sie 030/9876543 an.
Telefon: 0049 30 9876543.
Appelez le 01 23 45 67 89.
Llame al 912 765 432.
Our line is 415-555-0132.
WhatsApp 00441632960961
"""

PROMISES = """
Wir haben Ihnen den Betrag erstattet.
Wir erstatten Ihnen den vollen Preis.
Ihre Rückerstattung wurde veranlasst.
Sie erhalten Ihr Geld zurück.
Wir rufen Sie heute noch an.
Ein Mitarbeiter wird Sie morgen zurückrufen.
Wir melden uns innerhalb von 24 Stunden.
Unser Team wird das Problem bis morgen beheben.
Nous vous rembourserons la totalité.
Nous allons vous rembourser.
Votre remboursement a été effectué.
Vous serez remboursé sous peu.
Nous vous rappellerons demain.
Notre équipe vous répondra sous 24 heures.
Le reembolsaremos el importe.
Vamos a devolverle el dinero.
Hemos reembolsado el importe.
Su reembolso ha sido procesado.
Recibirá un reembolso completo.
Le llamaremos mañana.
Le responderemos en 24 horas.
"""

PLEAS = """
Please send us your password.
Please send us your full card number and the expiry date.
Reply with your password, please.
Can you tell me your current password?
What is your PIN?
We need your card details to go on.
Please share your login credentials.
Please confirm your password by reply.
Please give us your name, your address and your password.
Let us know your card number.
Could you provide us with the CVV?
Do not worry, please send us your password.
Please send a photo of your credit card to us, or send us a photo of your card.
Please enter your PIN in your reply.
Please tell us the verification code.
Bitte senden Sie uns Ihr Passwort.
Teilen Sie uns bitte Ihre Kreditkartennummer mit.
Wie lautet Ihr Passwort?
Wir benötigen Ihr aktuelles Kennwort.
Können Sie uns Ihre PIN nennen?
Antworten Sie bitte mit Ihrem Passwort.
Nennen Sie uns Ihren Namen und Ihr Passwort.
Envoyez-nous votre mot de passe.
Merci de nous communiquer le numéro de votre carte.
Quel est votre mot de passe ?
Nous avons besoin de votre code PIN.
Répondez avec votre mot de passe.
Envíenos su contraseña, por favor.
¿Cuál es su contraseña?
Necesitamos los datos de su tarjeta.
Díganos el número de su tarjeta.
Responda con su contraseña.
"""

REFUSED = {
    "link or an address": LINKS,
    "sum of money": SUMS,
    "telephone number": TELEPHONES,
    "promised": PROMISES,
    "asked for a password": PLEAS,
}
GUARDS = guards.Guards(seen=SEEN, secret="")


def lines(table: str) -> list[str]:
    return table.strip().splitlines()


@pytest.mark.parametrize("sentence", lines(ORDINARY))
def test_an_ordinary_sentence_may_be_sent(sentence):
    assert GUARDS.objection(sentence) == ""


@pytest.mark.parametrize(("why", "sentence"), [(why, line) for why, table in REFUSED.items() for line in lines(table)])
def test_a_refused_sentence_is_refused_with_its_reason(why, sentence):
    assert why in GUARDS.objection(sentence)


def test_all_ordinary_sentences_together_may_be_sent():
    assert GUARDS.objection(ORDINARY) == ""

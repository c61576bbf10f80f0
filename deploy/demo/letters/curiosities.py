"""Curiosities: unusual messages: rare charsets, no subject, no date, a bounce, a forward, a phishing attempt ..."""
# ruff: noqa: E501 - lines are the letters' own words

from __future__ import annotations

import base64
import io
import math
import random
import struct
import wave
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import SMTP
from email.utils import format_datetime

from deploy.demo.letters import calendar, files, tnef
from deploy.demo.letters.letter import File, Item, Letter, as_html, build, typeset
from deploy.demo.letters.people import ALICE, BOB, COLLEAGUES, PARENTS, PUPIL_LIST, ROLES, STAFF, Contact

LIST = Contact("maths-profs", "maths-profs@listes.example")


def curiosities(now: datetime, dice: random.Random) -> list[Item]:
    """One of each for alice, from some hours to some months old."""
    makers: list[tuple[Callable[[datetime, random.Random], bytes], float, str]] = [
        (_invitation, 20, "INBOX"),
        (_phishing, 5, "INBOX"),
        (_flowed, 31, "INBOX"),
        (_emoji, 3, "INBOX"),
        (_without_subject, 46, "INBOX"),
        (_photos, 52, "INBOX"),
        (_bounce, 70, "INBOX"),
        (_forwarded, 98, "INBOX"),
        (_large, 121, "INBOX"),
        (_arabic, 150, "INBOX"),
        (_long_subject, 9 * 24, "INBOX"),
        (_without_date, 11 * 24, "INBOX"),
        (_without_name, 15 * 24, "INBOX"),
        (_winmail, 21 * 24, "INBOX"),
        (_latin9, 26 * 24, "INBOX"),
        (_windows, 33 * 24, "INBOX"),
        (_japanese, 41 * 24, "Projets/Erasmus"),
        (_russian, 52 * 24, "Projets/Erasmus"),
        (_html_only, 60 * 24, "INBOX"),
        (_receipt_wanted, 18, "INBOX"),
        (_proven, 2, "INBOX"),
        (_imitation, 4, "INBOX"),
        (_forged, 6, "INBOX"),
        (_with_macros, 27, "INBOX"),
    ]
    items = []
    for make, hours, mailbox in makers:
        when = (now - timedelta(hours=hours)).replace(microsecond=0)
        items.append(Item(mailbox, make(when, dice), when))
    return items


def _letter(sender: Contact, subject: str, text: str, when: datetime, **more: object) -> bytes:
    return build(Letter(sender, (ALICE,), typeset(subject), typeset(text).strip() + "\n", when, **more))  # type: ignore[arg-type]


def _raw(headers: dict[str, str], body: bytes) -> bytes:
    """A raw message, header by header."""
    return (
        "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("ascii")
        + b"\r\n"
        + body.replace(b"\n", b"\r\n")
    )


def _old_program(when: datetime, sender: str, subject: str, charset: str, text: str) -> bytes:
    """A message of an old mail client: 8-bit text in a national charset, encoded words in the subject (RFC 2047)."""
    encoded = base64.b64encode(subject.encode(charset)).decode()
    return _raw(
        {
            "From": sender,
            "To": ALICE.email,
            "Subject": f"=?{charset}?B?{encoded}?=",
            "Date": format_datetime(when),
            "Message-ID": f"<{charset}.{when:%Y%m%d%H%M}@mail.{sender.rpartition('@')[2].rstrip('>')}>",
            "MIME-Version": "1.0",
            "Content-Type": f"text/plain; charset={charset}",
            "Content-Transfer-Encoding": "7bit" if charset == "iso-2022-jp" else "8bit",
        },
        text.encode(charset),
    )


def _invitation(when: datetime, dice: random.Random) -> bytes:
    """A meeting next week: text/calendar with METHOD:REQUEST (RFC 5546, RFC 6047)."""
    chief = ROLES["proviseur"][0]
    start = calendar.school_day(when, 4).replace(hour=16, minute=30, second=0)
    stamp = "%Y%m%dT%H%M%SZ"
    lines = [
        "BEGIN:VCALENDAR", "PRODID:-//Agenda Ampere//FR", "VERSION:2.0", "METHOD:REQUEST", "BEGIN:VEVENT",
        f"UID:{when:%Y%m%d}-conseil-pedagogique@{STAFF}", f"DTSTAMP:{when.astimezone(UTC):{stamp}}",
        f"DTSTART:{start.astimezone(UTC):{stamp}}", f"DTEND:{(start + timedelta(hours=1)).astimezone(UTC):{stamp}}",
        "SUMMARY:Conseil pédagogique", "LOCATION:Salle des actes", "SEQUENCE:0", "STATUS:CONFIRMED",
        "DESCRIPTION:Évaluations communes et calendrier du bac blanc.",
        f"ORGANIZER;CN={chief.name}:mailto:{chief.email}",
        f"ATTENDEE;CN={ALICE.name};ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{ALICE.email}",
        f"ATTENDEE;CN={BOB.name};ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=TRUE:mailto:{BOB.email}",
        "END:VEVENT", "END:VCALENDAR", "",
    ]  # fmt: skip
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = str(chief), f"{ALICE.email}, {BOB.email}"
    message.replace_header("From", f"{chief.name} <{chief.email}>")
    message["Subject"] = "Invitation : conseil pédagogique"
    message["Date"], message["Message-ID"] = format_datetime(when), f"<invitation.{when:%Y%m%d%H%M}@{STAFF}>"
    day = calendar.in_french(start)
    message.set_content(
        f"Bonjour,\n\nVous êtes invitée au conseil pédagogique, {day} à 16 h 30, salle des actes.\n\n{chief.name}\n"
    )
    message.add_alternative("\r\n".join(lines), subtype="calendar", charset="utf-8", params={"method": "REQUEST"})
    return message.as_bytes()


def _phishing(when: datetime, dice: random.Random) -> bytes:
    """A lookalike of the school's domain, and a link whose text shows another URL than it leads to."""
    page = """<html><body style="font-family:Arial,sans-serif"><table width="520" align="center" cellpadding="16" style="border:1px solid #ccc">
<tr><td bgcolor="#1c4a5c" style="color:#fff;font-size:18px">Messagerie du lycée Ampère</td></tr><tr><td>
<p>Cher utilisateur,</p><p>Votre boite a depassé <b>99%</b> de son quota. Sans action de votre part <b>avant 24 heures</b>, vos
messages seront définitivement supprimé.</p><p>Confirmez votre identifiant et votre mot de passe ici :</p>
<p><a href="http://lycee-ampere.connexion-verif.example/login.php?id=alice">https://webmail.lycee.example/compte</a></p>
<p>Le service informatique</p><form action="http://connexion-verif.example/p" method="post"><input name="mdp" type="password">
<input type="submit" value="Valider"></form></td></tr></table></body></html>"""
    sender = Contact("Administration messagerie lycee.example", "securite@lycee-arnpere.example")
    text = "Votre boite a depassé 99% de son quota. Connectez vous sur https://webmail.lycee.example/compte avant 24 heures."
    letter = Letter(sender, (ALICE,), "URGENT : votre messagerie sera suspendue", text + "\n", when, html=page)
    letter.headers = {
        "Authentication-Results": "lycee.example; spf=fail smtp.mailfrom=lycee-arnpere.example; dkim=none; "
        "dmarc=fail (p=none) header.from=lycee-arnpere.example",
        "Reply-To": "recup-compte@connexion-verif.example",
        "X-Priority": "1",
    }
    return build(letter)


def _proven(when: datetime, dice: random.Random) -> bytes:
    """From a colleague, as the mail server of the school confirms."""
    text = (
        "Salut Alice,\n\nJ'ai laissé la clé de la salle 112 dans ton casier, avec les copies des secondes. Bonne soirée !\n\nBob"
    )
    results = f"lycee.example; auth=pass (login) smtp.auth={BOB.email} smtp.mailfrom={BOB.email} header.from={BOB.email}"
    return _letter(BOB, "Clé de la salle 112", text, when, headers={"Authentication-Results": results})


def _imitation(when: datetime, dice: random.Random) -> bytes:
    """A colleague's name, with an l for an i, and an address of anybody's."""
    sender = Contact("Bob Glrard - Direction", "bob.girard.lycee.ampere@boitemail.example")
    text = "Bonjour Alice,\n\nJe suis en réunion et je ne peux pas téléphoner. Peux-tu me rendre un service discret ?\n\nBob"
    return _letter(sender, "Es-tu disponible ?", text, when)


def _forged(when: datetime, dice: random.Random) -> bytes:
    """An address of the school that our mail server could not confirm: it came from outside."""
    sender = Contact("Direction", "direction@lycee.example")
    text = "Bonjour,\n\nLa réunion de ce soir est avancée à 16 h, salle des professeurs. Merci de prévenir vos collègues.\n\nLa direction"
    results = "lycee.example; spf=none smtp.mailfrom=direction@lycee.example; dkim=none; dmarc=none header.from=lycee.example"
    return _letter(sender, "Réunion avancée à 16 h", text, when, headers={"Authentication-Results": results})


def _with_macros(when: datetime, dice: random.Random) -> bytes:
    """Nothing but an attachment to be careful with."""
    sheet = File("Répartition des services.xlsm", "application/vnd.ms-excel.sheet.macroEnabled.12", b"PK\x03\x04" + bytes(400))
    text = "Bonjour,\n\nVoici le tableau à compléter avant vendredi. Merci d'activer le calcul automatique.\n\nLe secrétariat"
    return _letter(
        Contact("Rectorat, services", "services@rectorat-info.example"), "Tableau à compléter", text, when, files=(sheet,)
    )


def _flowed(when: datetime, dice: random.Random) -> bytes:
    """format=flowed with two quote levels (RFC 3676): a space at the end of a line joins it to the next."""
    text = (
        "> > Est-ce que tu as encore le devoir de l'an dernier sur les suites, celui \n"
        "> > avec la population de hérissons ?\n"
        "> Oui, et même la version corrigée. Je l'ai rangée dans le dossier partagé, \n"
        "> mais je ne sais plus sous quel nom.\n"
        "\n"
        "Trouvé ! Il s'appelait « picots.ods », évidemment. Je l'ai un peu allongé : \n"
        "la question 3 demande maintenant de justifier la limite, et la 5 de \n"
        "programmer le seuil.\n"
        "\n"
        "Deux choses à vérifier avec toi :\n"
        " - le coefficient 0,85, je le trouve optimiste ;\n"
        " - la durée, une heure suffit-elle ?\n"
        "\n"
        "Inès\n"
        "-- \n"
        "Inès Moreau, mathématiques\n"
    )
    head = {
        "From": "=?utf-8?Q?In=C3=A8s_Moreau?= <ines.moreau@ac-rhone.example>",
        "To": ALICE.email,
        "Subject": "=?utf-8?Q?Re:_Devoir_sur_les_suites_(h=C3=A9rissons)?=",
        "Date": format_datetime(when),
        "Message-ID": f"<flowed.{when:%Y%m%d%H%M}@{STAFF}>",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8; format=flowed",
        "Content-Transfer-Encoding": "8bit",
    }
    return _raw(head, text.encode())


def _emoji(when: datetime, dice: random.Random) -> bytes:
    pupil = PUPIL_LIST[5]
    text = "Bonjour madame !!\n\nOn a fini l'affiche pour la Fête de la science 🧪✨ Sarah a dessiné un dragon 🐉 en fractale, il est trop beau.\n\n"
    return _letter(pupil, "🎉 l'affiche est finie 🐉📐", text + "On vous la montre lundi 👍\n\nLina", when)


def _without_subject(when: datetime, dice: random.Random) -> bytes:
    text = b"Madame, Yanis a oublie sa trousse en salle B12, pouvez-vous la mettre de cote ? Merci. S. Benali\n\nEnvoye de mon telephone\n"
    head = {"From": f"Samira Benali <samira.benali@{PARENTS}>", "To": ALICE.email, "Date": format_datetime(when)}
    return _raw({**head, "Message-ID": f"<phone.{when:%Y%m%d%H%M}@{PARENTS}>"}, text)


def _without_date(when: datetime, dice: random.Random) -> bytes:
    text = b"Le photocopieur du deuxieme etage signale : bac 2 vide.\n"
    return _raw({"From": "Photocopieur B2 <copieur-b2@lycee-ampere.example>", "To": ALICE.email, "Subject": "Bac 2 vide"}, text)


def _without_name(when: datetime, dice: random.Random) -> bytes:
    text = b"Bonjour, le colis de compas est arrive a la loge. Bonne journee.\n"
    head = {"From": "loge@lycee-ampere.example", "To": ALICE.email, "Subject": "Colis a la loge", "Date": format_datetime(when)}
    return _raw({**head, "Message-ID": f"<loge.{when:%Y%m%d%H%M}@lycee-ampere.example>"}, text)


def _long_subject(when: datetime, dice: random.Random) -> bytes:
    subject = (
        "Compte rendu de la réunion de l'équipe pédagogique de la 2de 4 consacrée à l'organisation de la semaine de l'oral, "
        "à la répartition des salles, aux modalités d'évaluation par compétences et au calendrier des rencontres avec les familles "
        "- version relue et corrigée, qui annule et remplace la précédente"
    )
    text = "Bonjour,\n\nTout est dans l'objet... ou presque. La version longue est jointe.\n\nBien à vous,\nÉmilie"
    attached = File(
        "Compte rendu de la réunion de l’équipe pédagogique de la 2de 4 (version relue et corrigée).pdf",
        "application/pdf",
        files.pdf("Compte rendu", ["Semaine de l'oral", "Salles et horaires"]),
    )
    return _letter(COLLEAGUES[4], subject, text, when, files=(attached,))


def _photos(when: datetime, dice: random.Random) -> bytes:
    pictures = tuple(File(f"sortie-{n}.png", "image/png", files.landscape(320, 200, dice)) for n in (1, 2, 3))
    text = "Salut Alice,\n\nTrois photos de la sortie d'hier, dont une où il ne pleut pas. Tu me diras laquelle va sur le site du lycée.\n\nGuillaume"
    return _letter(COLLEAGUES[7], "Photos de la sortie", text, when, files=pictures)


def _large(when: datetime, dice: random.Random) -> bytes:
    """A 3 MB recording of a pupil's oral exam (in fact a quiet tone of 94 seconds)."""
    second = b"".join(struct.pack("<h", int(3000 * math.sin(2 * math.pi * 440 * n / 16_000))) for n in range(16_000))
    sound = io.BytesIO()
    with wave.open(sound, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(second * 94)
    text = "Bonjour madame,\n\nVoici l'enregistrement de mon grand oral blanc, j'ai fait 1 min 34 pour l'introduction, c'est trop long non ?\n\nManon"
    return _letter(
        PUPIL_LIST[3],
        "Enregistrement grand oral",
        text,
        when,
        files=(File("Grand oral Manon.wav", "audio/x-wav", sound.getvalue()),),
    )


def _arabic(when: datetime, dice: random.Random) -> bytes:
    text = "السيدة لوروا المحترمة،\n\nأشكرك على حصة الدعم. ينتظر التلاميذ في الدار البيضاء بفارغ الصبر مكالمة الفيديو القادمة.\n\nمع أطيب التحيات،\nنادية الإدريسي\n"
    sender = Contact("نادية الإدريسي", "n.idrissi@lycee-jumele.example")
    return build(Letter(sender, (ALICE,), "مشروع التوأمة: موعد المكالمة القادمة", text, when))


def _winmail(when: datetime, dice: random.Random) -> bytes:
    """A winmail.dat, as attached by Outlook, with a timetable in it."""
    rooms = files.make("xlsx:Planning des salles.xlsx", dice)
    wrapped = tnef.winmail("Ci-joint le planning des salles.", {rooms.name: rooms.content})
    text = "Bonjour,\n\nLe planning des salles est en pièce jointe.\n\nCordialement,\nMartine Colin"
    return _letter(
        ROLES["secretariat"][0], "Planning des salles", text, when, files=(File("winmail.dat", "application/ms-tnef", wrapped),)
    )


def _latin9(when: datetime, dice: random.Random) -> bytes:
    text = "Bonjour,\n\nLe devis s'élève à 1 240 € pour vingt-cinq élèves, œuvres comprises.\n\nÀ bientôt,\nle Théâtre du Cèdre\n"
    return _old_program(when, "Billetterie <billets@theatre-cedre.example>", "Devis : 25 élèves, 1 240 €", "iso-8859-15", text)


def _windows(when: datetime, dice: random.Random) -> bytes:
    text = "Chère Madame,\n\nSuite à notre entretien “téléphonique”, je vous confirme… que la salle est libre – sauf imprévu – le mardi.\n\nCœur cordialement,\nRenée\n"
    return _old_program(
        when, "Renee Tissot <rtissot@salle-municipale.example>", "Réservation « confirmée » – salle n° 3…", "windows-1252", text
    )


def _japanese(when: datetime, dice: random.Random) -> bytes:
    text = "ルロワ先生\n\nこんにちは。数学の交換授業について、来月の日程をご相談させてください。\n火曜日の午前はいかがでしょうか。\n\n田中 美咲\n"
    return _old_program(when, "Misaki Tanaka <m.tanaka@gakko.example>", "数学の交換授業について", "iso-2022-jp", text)


def _russian(when: datetime, dice: random.Random) -> bytes:
    text = "Уважаемая госпожа Леруа!\n\nСпасибо за задачи олимпиады. Наши ученики решили все, кроме пятой.\n\nС уважением,\nОльга Смирнова\n"
    return _old_program(when, "Olga Smirnova <o.smirnova@shkola.example>", "Задачи олимпиады", "koi8-r", text)


def _html_only(when: datetime, dice: random.Random) -> bytes:
    message = MIMEText(
        as_html(
            typeset(
                "Bonjour,\n\nLe formulaire d'inscription au rallye est ouvert : https://rallye-maths.example/inscription\n\nL'équipe du rallye"
            )
        ),
        "html",
        "utf-8",
    )
    message["From"], message["To"] = "Rallye des maths <contact@rallye-maths.example>", ALICE.email
    message["Subject"], message["Date"] = "Inscriptions ouvertes", format_datetime(when)
    message["Message-ID"] = f"<rallye.{when:%Y%m%d%H%M}@rallye-maths.example>"
    return message.as_bytes(policy=SMTP)


def _receipt_wanted(when: datetime, dice: random.Random) -> bytes:
    chief = ROLES["adjoint"][0]
    text = "Bonjour,\n\nMerci de me confirmer la bonne réception des sujets du bac blanc avant ce soir.\n\nPhilippe Dumas"
    return _letter(
        chief,
        "Sujets du bac blanc : accusé de réception demandé",
        text,
        when,
        headers={"Disposition-Notification-To": chief.email},
    )


def _forwarded(when: datetime, dice: random.Random) -> bytes:
    """An attached message (message/rfc822)."""
    earlier = when - timedelta(hours=30)
    sender = ROLES["parent"][9]
    inner = build(
        Letter(
            sender,
            (COLLEAGUES[2],),
            "Cours particuliers",
            typeset(
                "Bonjour Monsieur,\n\nConnaissez-vous un étudiant qui donnerait des cours à Nathan le samedi ?\n\nCordialement,\nValérie Picard\n"
            ),
            earlier,
        )
    )
    outer = MIMEMultipart()
    outer["From"], outer["To"] = "Thomas Renaud <thomas.renaud@ac-rhone.example>", ALICE.email
    outer["Subject"], outer["Date"] = "Fwd: Cours particuliers", format_datetime(when)
    outer["Message-ID"] = f"<fwd.{when:%Y%m%d%H%M}@{STAFF}>"
    outer.attach(
        MIMEText(
            typeset("Salut Alice,\n\nTon neveu donne toujours des cours ? Je te transmets la demande ci-dessous.\n\nThomas\n"),
            "plain",
            "utf-8",
        )
    )
    outer.attach(MIMEMessage(message_from_bytes(inner)))
    return outer.as_bytes(policy=SMTP)


def _bounce(when: datetime, dice: random.Random) -> bytes:
    """A bounce: a non-delivery report (RFC 3464)."""
    address = "sarah.lopez@eleves-ampere.example"
    words = f"I'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients.\n\n<{address}>: 550 5.1.1 User unknown\n"
    report = MIMEMultipart("report")
    report.set_param("report-type", "delivery-status")
    report["From"], report["To"] = "Mail Delivery System <MAILER-DAEMON@mail.lycee.example>", ALICE.email
    report["Subject"], report["Date"] = "Undelivered Mail Returned to Sender", format_datetime(when)
    report["Message-ID"], report["Auto-Submitted"] = f"<bounce.{when:%Y%m%d%H%M}@mail.lycee.example>", "auto-replied"
    status = (
        b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mail.lycee.example\n\n"
        + f"Final-Recipient: rfc822; {address}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\n".encode()
    )
    original = build(
        Letter(
            ALICE,
            (Contact("Sarah Lopez", address),),
            "Rallye : dossard",
            typeset("Bonjour Sarah,\n\nTon dossard est prêt !\n\nA. Leroy\n"),
            when - timedelta(minutes=1),
        )
    )
    for part in (MIMEText(words, "plain", "utf-8"), message_from_bytes(status), MIMEMessage(message_from_bytes(original))):
        report.attach(part)
    return report.as_bytes(policy=SMTP)

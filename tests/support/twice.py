"""Which forms may be sent twice: those that carry an id (`form_id()`), and of all others why twice is harmless.

tests/unit/web/test_twice.py asks that each POST route of routes.txt stands in one of both, and tries those that can be tried without
mail servers; the others are tried in tests/integration/test_twice.py.
"""

from __future__ import annotations

# why the second does no harm
SETS = "it sets what the form says: the second sets the same again"
TAKES = "it takes something away, or back: the second finds nothing left to do, and is told so or led back"
SHOWS = "it shows, checks or leads on, and keeps nothing that adds up"
NAMED = "what it makes is named in the address or the form (a draft, an upload, a task, a code): the second finds that"
COUNTED = "it proves who somebody is: each try is one that counts, and the last answer holds"
STREAM = "it is read as it comes: the transfer in its address is one, and so is the file"
PROGRAM = "a program asks, not a hand"

TRIED = {  # without mail servers
    "/account/delete", "/collections/new", "/contacts/groups/new", "/contacts/new", "/calendar/events/new", "/devices/new",
    "/settings/identities/new", "/settings/signatures/new", "/settings/templates/new", "/support", "/tags",
    "/transfers/requests/new", "/collections/<int:number>/addresses", "/account/recovery", "/room/report", "/todo/new", "/todo/quick",
}  # fmt: skip
TRIED_ON_SERVERS = {"/folders", "/filters/new", "/forwarding/address", "/search/saved"}

# forms that carry an id too, where two at once were not tried: they are answered by the same few lines (webmail/web/forms/double_submits.py)
CARRY_AN_ID = {
    "/account/confirm/mail", "/account/data", "/account/keys", "/account/mail-codes", "/account/phone", "/account/recovery-codes", "/account/totp",
    "/account/vouchers", "/admin/reports/<int:report>", "/admin/transfers/<int:transfer>", "/admin/transfers/reports/<int:report>",
    "/archiving/new", "/archiving/rule/<int:number>", "/filters/senders", "/calendar/events/<int:calendar>/<href>/edit", "/calendar/import", "/calendar/subscriptions/new",
    "/collections/<int:number>/shares", "/collections/servers/<int:number>", "/collections/servers/new", "/contacts/<uid>/edit",
    "/contacts/import", "/contacts/of/<int:uid>/<path:mailbox>", "/contacts/people/add", "/deputy/<int:number>/factors",
    "/deputy/<int:number>/password", "/detach", "/devices/connect/<kind>",  "/filters/rule/<number>", "/filters/script", "/forgot",
    "/forwarding", "/import", "/import/server", "/import/takeout/<upload>", "/login/code/mail", "/login/code/voucher", "/room/ask", "/room/newsletter",
    "/settings/identities/<int:number>", "/settings/signatures/<int:number>", "/settings/templates/<int:number>",
    "/transfers/<int:number>", "/transfers/<int:number>/people/<int:person>", "/transfers/requests/<int:number>",
    "/p/<link>", "/polls/<int:number>/change", "/polls/new",
    "/t/<link>/report", "/transfers/requests/<int:number>/change", "/transfers/requests/<int:number>/people/<int:person>",
    "/unsubscribe/<int:uid>/<path:mailbox>", "/admin/rooms/new", "/admin/rooms/<int:number>", "/admin/rooms/<int:number>/delete",
    "/rooms/requests/<int:number>", "/appointments/new", "/appointments/<int:number>", "/appointments/<int:number>/change",
    "/todo/items/<int:calendar>/<href>", "/todo/lists",
    "/admin/settings/<section>", "/admin/settings/<section>/earlier/<int:number>",
    "/admin/people/import", "/admin/people/import/<upload>", "/admin/people/school-year", "/admin/people/school-year/<upload>",
    "/admin/people/sheets/<sheet>",
    "/admin/people/change", "/admin/people/new", "/admin/people/<int:number>/edit", "/admin/people/<int:number>/limits",
    "/admin/people/<int:number>/address",
    "/admin/establishments", "/admin/establishments/<int:number>", "/admin/establishments/<int:number>/delete",
    "/admin/establishments/<int:number>/policy",
    "/account/requests/<int:number>", "/admin/desk/<int:number>", "/admin/reports/<int:report>/copies", "/admin/reports/<int:report>/sender",
    "/admin/reports/<int:report>/thanks", "/admin/senders", "/admin/senders/allow",
    "/account/restore", "/account/substitutes", "/admin/restores", "/admin/handovers/new", "/admin/departures/<int:number>", "/admin/lists/<name>", "/admin/overview/tasks",
    "/admin/groups", "/admin/groups/<int:number>", "/admin/groups/<int:number>/delete", "/admin/groups/<int:number>/people",
    "/admin/groups/<int:number>/policy", "/admin/groups/<int:number>/collections",
    "/services/filesender/connect", "/transfers/<int:number>/filesender", "/transfers/filesender/<int:remote>", "/transfers/filesender/guests",
    "/transfers/filesender/guests/<int:guest>", "/compose/<draft_id>/drive/<int:number>/links",
    "/save-to-drive/<int:uid>/<path:mailbox>", "/transfers/<int:number>/save-to-drive",
    "/compose/<draft_id>/large/drive",
    "/encryption/begin", "/encryption/keys", "/encryption/sheet", "/encryption/passphrase", "/encryption/import",
    "/keep-decrypted/<int:uid>/<path:mailbox>",
    "/encryption/take/<int:number>",
}  # fmt: skip

HARMLESS = {
    SETS: [
        "/encryption/open", "/encryption/open/passkey", "/encryption/passkeys", "/encryption/habits", "/encryption/keys/<int:number>", "/encryption/people/<int:number>", "/encryption/look", "/compose/keys/near",
        "/encryption/from/<int:uid>/<section>/<path:mailbox>", "/encryption/from-header/<int:uid>/<path:mailbox>", "/encryption/keeping", "/encryption/sheet/done",
        "/admin/checks", "/admin/dns", "/admin/domains/<domain>", "/services/<int:number>", "/absence", "/account/confirm", "/account/confirm/key", "/account/keys/<int:number>/rename", "/account/name", "/account/password", "/contacts/<uid>/keys",
        "/account/phone/code", "/account/providers/connect", "/account/recovery/code", "/account/terms", "/archiving", "/archiving/seen",
        "/awaited/<int:number>", "/awaited/message/<int:uid>/<path:mailbox>",
        "/calendar/reminders/<int:number>", "/calendar/reminders/done", "/calendar/reminders/of/<int:number>", "/calendar/shown",
        "/calendar/subscriptions/<int:number>", "/collections", "/collections/<int:number>",
        "/collections/servers/<int:number>/sync", "/collections/servers/links/<int:number>", "/contacts/directory", "/contacts/people",
        "/contacts/people/learn", "/conversations/<path:mailbox>", "/devices/connected/<int:number>", "/devices/trust", "/filters",
        "/filters/scripts", "/filters/suggestion", "/folder/<path:mailbox>", "/folders/roles", "/forgot/new", "/forwarding/code",
        "/help/cards/seen", "/images", "/room/later", "/search/saved/<int:number>", "/seen/<int:uid>/<path:mailbox>", "/settings", "/settings/<slug>",
        "/i/<link>", "/a/booking/<link>", "/settings/language", "/settings/put-back", "/settings/working-hours", "/share/<path:mailbox>", "/snoozed/<int:id_>",
    ],
    TAKES: [
        "/encryption/close", "/encrypt-again/<int:uid>/<path:mailbox>", "/encryption/people/undo", "/encryption/people/again", "/encryption/passkeys/remove", "/encryption/delete", "/encryption/keys/<int:number>/revoke", "/encryption/keys/<int:number>/remove",
        "/admin/domains/undo", "/admin/people/<int:number>/limits/room", "/services/<int:number>/disconnect", "/absence/end", "/absence/undo", "/admin/settings/undo", "/admin/people/undo", "/admin/people/limits/undo", "/admin/people/address/undo",
        "/admin/people/<int:number>/device", "/admin/people/<int:number>/sign-out", "/account/delete/withdraw", "/account/keys/<int:number>/remove", "/account/phone/remove",
        "/admin/people/import/saved", "/admin/people/import/undo", "/account/substitutes/<int:number>", "/admin/handovers/<int:number>",
        "/admin/groups/undo", "/admin/lists/<name>/undo", "/admin/groups/<int:number>/collections/<int:row>",
        "/account/providers/disconnect", "/account/recovery/remove", "/account/totp/<int:number>/remove", "/account/vouchers/refuse",
        "/act/<path:mailbox>", "/archiving/restore", "/archiving/undo", "/calendar/changes/undo",
        "/calendar/events/<int:calendar>/<href>/delete", "/todo/done", "/todo/items/<int:calendar>/<href>/delete", "/todo/undo", "/calendar/import/undo", "/calendar/subscriptions/undo",
        "/compose/<draft_id>/drive/<int:number>/links/undo",
        "/collections/servers/<int:number>/disconnect", "/collections/trash", "/collections/trash/whole", "/contacts/<uid>/remove",
        "/contacts/changes/undo", "/contacts/duplicates/compare", "/detach/<task_id>/undo", "/drives/undo", "/compose/drive/undo", "/devices/refused", "/devices/revoke",
        "/filters/applied/<task_id>/undo", "/filters/senders/undo", "/filters/undo", "/folders/undo", "/forwarding/end",
        "/forwarding/remove", "/forwarding/undo", "/import/<task_id>/undo", "/logout", "/outbox/<int:outbox_id>", "/polls/<int:number>", "/recipients/forget", "/search/recent",
        "/report/undo", "/sessions", "/settings/identities/<int:number>/remove", "/settings/signatures/<int:number>/remove",
        "/settings/templates/<int:number>/remove", "/settings/undo", "/tasks/<task_id>", "/transfers/<int:number>/files/<upload>", "/undo",
    ],
    SHOWS: [
        "/encryption/keys/<int:number>/export",
        "/account/password/strength", "/account/recovery-codes/file", "/contacts/import/<upload>/columns", "/detach/<path:mailbox>",
        "/devices/connect/<kind>/profile", "/export/<path:mailbox>", "/filters/import", "/login/cas", "/login/oidc/<name>", "/login/proxy", "/t/<link>",
        "/transfers/new/protection", "/services/<provider>/connect", "/services/<int:number>/calendars", "/admin/services/<provider>",
    ],
    "a place is taken once; a second form holds another one for ten minutes, which nobody confirms": ["/a/<link>"],
    NAMED: [
        "/calendar/events/<int:calendar>/<href>/move", "/calendar/events/<int:calendar>/<href>/remind", "/calendar/events/<int:calendar>/<href>/office-answer",
        "/calendar/events/<int:calendar>/<href>/replies", "/calendar/events/<int:calendar>/<href>/times", "/calendar/times/<name>",
        "/calendar/forms/<name>", "/calendar/from/<int:uid>/<section>/<path:mailbox>", "/calendar/import/<upload>", "/compose/<draft_id>",
        "/compose/<draft_id>/contacts", "/compose/keys/open", "/compose/<draft_id>/drive/<int:number>", "/compose/<draft_id>/mail", "/compose/<draft_id>/recipients",
        "/contacts/from/<int:uid>/<section>/<path:mailbox>", "/contacts/import/<upload>", "/contacts/move", "/devices/profile/<key>",
        "/drafts/kept", "/export", "/filters/import/take", "/receipt/<int:uid>/<path:mailbox>", "/reply/<int:uid>/<path:mailbox>",
        "/report/<int:uid>/<path:mailbox>", "/send-on/<int:uid>/<path:mailbox>",
    ],
    COUNTED: [
        "/forgot/code", "/login", "/login/code", "/login/code/key", "/login/code/voucher/use", "/login/passkey",
    ],
    STREAM: [
        "/compose/<draft_id>/large", "/g/<link>", "/g/<link>/uploads", "/g/<link>/uploads/<upload>", "/transfers/<int:number>/additions",
        "/transfers/<int:number>/additions/<int:addition>", "/transfers/new", "/transfers/uploads", "/transfers/uploads/<upload>",
    ],
    "a second draft with the same messages or files: nothing is sent, and what nobody touches is swept after a day": [
        "/compose/drive/<int:number>", "/forward-together/<path:mailbox>",
    ],
    "a second code is mailed, within the limits of codes, and the last one counts": ["/login/door-code"],
    PROGRAM: [
        "/AutoDiscover/AutoDiscover.xml", "/Autodiscover/Autodiscover.xml", "/autodiscover/autodiscover.xml", "/dovecot/arrivals",
        "/dovecot/sign-ins", "/api/v1/<any_path:path>",
        "/login/cas/callback", "/login/oidc/<name>/sign-out",
    ],
}  # fmt: skip

"""Rules pages: the list of a person's filters, and the form of one.

A link to `filters.new_rule` can fill the form in, by arguments that may be repeated, the nth of each belonging together:
`field`, `match`, `value`, `header` for conditions; `action`, `to` (a folder, a keyword, an address, days, a subject) and `text` for
what is done; `any=any` for one condition being enough; `name`. Fields, matches ("!" before one means not) and actions are those
of `filters/rules.py`; several values of one condition stand on a line each. So
`/filters/new?field=list&match=contains&value=maths.lycee.example&field=subject&value=devoir&action=move&to=Maths&action=stop`.
What makes no sense is left out.

The form's button "Try it" sends the form to `filters.try_rule`, where `rule_form.rule_from_form()` is the rule that it stands for,
and `rule_form.kept_form()` says it again in hidden fields, for the way back: POST to `filters.add_rule` with `action=edit`.
"""

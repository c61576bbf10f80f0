"""`flask dns-records`: what an administrator copies, or a sentence about what is missing."""

from __future__ import annotations

from webmail import create_app


def test_it_prints_lines_of_a_zone_file(tmp_path):
    app = create_app(
        tmp_path, domain="lycee.example", mail_server="mail.lycee.example", public_url="https://webmail.lycee.example"
    )
    done = app.test_cli_runner().invoke(args=["dns-records"])
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert "_imaps._tcp.lycee.example. 3600 IN SRV 0 1 993 mail.lycee.example." in lines
    assert '_caldavs._tcp.lycee.example. 3600 IN TXT "path=/dav/"' in lines
    assert "lycee.example. 3600 IN MX 10 mail.lycee.example." in lines
    assert all(" IN " in line or line.startswith(";") for line in lines)
    assert not any("TLSA" in line or "https:" in line for line in lines)  # which are no lines of a zone, or not known here


def test_names_that_nobody_can_have_are_not_looked_for(tmp_path):
    app = create_app(tmp_path, domain="lycee.example", mail_server="mail.lycee.example")
    done = app.test_cli_runner().invoke(args=["dns-records", "--check"])
    assert done.exit_code == 0 and "nobody can have" in done.output


def test_without_names_it_says_what_to_set(tmp_path):
    done = create_app(tmp_path).test_cli_runner().invoke(args=["dns-records"])
    assert done.exit_code == 1
    assert "set domain, and mail_server" in done.output

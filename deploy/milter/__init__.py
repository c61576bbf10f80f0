"""Milter: the door of the mail server. Refuses forged From headers, and says by Authentication-Results who is proven.

Postfix asks it about each message (deploy/postfix.sh). It runs with Debian's own Python and its packages python3-milter,
python3-dkim, python3-spf, python3-dnspython and, for PostgreSQL, python3-psycopg2; nothing here imports the webmail.
"""

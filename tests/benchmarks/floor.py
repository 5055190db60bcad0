"""The floor under a page: the bare driver reads the newest 100 rows, a bare template writes them."""

from collections.abc import Callable

import jinja2

from tests.benchmarks.target import Target

SQL = """
SELECT t.id, t.posted_at, t.amount_cents, t.currency, t.round_up_cents, t.category, t.status, t.ticker, t.account_type,
       t.source, m.name, m.descriptor, u.account_number
FROM (SELECT * FROM transactions {hint} ORDER BY posted_at DESC, id DESC LIMIT 101) t
LEFT JOIN merchants m ON m.id = t.merchant_id LEFT JOIN users u ON u.id = t.user_id
ORDER BY t.posted_at DESC, t.id DESC
"""

# One row as templates/transactions.html writes it, with the values as the driver gives them.
ROWS = """\
{% for id, at, cents, currency, rounding, category, status, ticker, account, source, name, shop, user in rows %}
<tr id="transaction-{{ id }}" data-id="{{ id }}" data-c="{{ at }}~{{ id }}" aria-rowindex="{{ loop.index }}">\
<td class="c-posted">{{ at }} <i>{{ at }}</i>\
<td class="c-merchant"><a href="/transactions/{{ id }}?at={{ at }}~{{ id }}">{{ name }}</a> \
<code>{{ shop }}</code>\
<td class="c-user"><a href="/transactions?user={{ user }}">{{ user }}</a>\
<td class="c-category">{{ category }}<td class="c-amount{{ currency }}">{{ cents }}\
<td class="c-round_up">{{ rounding }}\
<td class="c-ticker">{% if ticker %}<b>{{ ticker }}</b>{% else %}–{% endif %}\
<td class="c-status"><span class="s-{{ status }}">{{ status }}</span>\
<td class="c-account_type">{{ account }}<td class="c-source">{{ source }}<td class="c-id">{{ id }}
{%- endfor %}"""


def floor_of(target: Target) -> Callable[[], str]:
    """A call that reads the first page's rows and writes them, with nothing else around it."""
    statement = SQL.format(hint="INDEXED BY transactions_posted" if target.stored.kind == "sqlite" else "")
    template = jinja2.Environment(autoescape=True).from_string(ROWS)
    return lambda: template.render(rows=target.raw.execute(statement).fetchall()[:100])

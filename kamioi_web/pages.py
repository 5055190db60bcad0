"""The pages: a new table page is one line here, one query module and one template."""

from kamioi_web.queries import transaction_cells, transactions
from kamioi_web.table_page import TablePage

PAGES = (TablePage("transactions", "Transactions", transactions, transaction_cells),)

"""The pages: a new table page is one line here, one query module and one template."""

from kamioi_web.queries import (
    audit_cells,
    audit_events,
    import_cells,
    import_runs,
    job_cells,
    job_list,
    mapping_cells,
    mapping_tools,
    mappings,
    merchant_cells,
    merchants,
    transaction_cells,
    transactions,
    user_cells,
    users,
)
from kamioi_web.table_page import TablePage

TRANSACTIONS = TablePage("transactions", "Transactions", transactions, transaction_cells, bulk="/transactions/bulk")
USERS = TablePage("users", "Users", users, user_cells)
MAPPINGS = TablePage(
    "mappings",
    "LLM Center",
    mappings,
    mapping_cells,
    path="/llm-center",
    api="/llm-center/mappings",
    largest=50,
    under_data=True,
    tools=mapping_tools.tools,
)
MERCHANTS = TablePage("merchants", "Merchants", merchants, merchant_cells)
IMPORTS = TablePage("imports", "Imports", import_runs, import_cells, section="Operations")
JOBS = TablePage("jobs", "Jobs", job_list, job_cells, section="Operations")
AUDIT = TablePage(
    "audit", "Audit log", audit_events, audit_cells, rows_are="events", section="Operations", role="operator"
)

PAGES = (TRANSACTIONS, USERS, MAPPINGS, MERCHANTS, JOBS, IMPORTS, AUDIT)

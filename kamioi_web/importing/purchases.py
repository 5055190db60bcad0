"""A record of a transactions file as an item: who, where, when, how much."""

from collections.abc import Callable
from typing import Any

from kamioi_web.importing.amounts import agree, parse_amount
from kamioi_web.importing.categories import category_of
from kamioi_web.importing.columns import Columns
from kamioi_web.importing.dates import parse_date
from kamioi_web.importing.formats import Formats
from kamioi_web.importing.model import Reject
from kamioi_web.importing.rows import Cache, Row

# account, descriptor, posted at in microseconds, cents, currency, category, reference, round-up cents, fee cents;
# a category or round-up of None is the merchant's and the user's.
Item = tuple[str, str, int, int, str, str | None, str, int | None, int]

DESCRIPTOR_LIMIT = 1_000
ACCOUNT_LIMIT = 200
REFERENCE_LIMIT = 200
CATEGORY_LIMIT = 60
COPIES_LIMIT = 1_000
REQUIRED = {"date", "merchant", "amount"}
USUAL = REQUIRED | {"currency", "account", "category", "mcc"}


class PurchaseReader:
    """Reads records whose columns are known. Texts that come again are looked up, not read again."""

    def __init__(self, columns: Columns, formats: Formats, currency: str, account: str) -> None:
        self.columns = columns
        self.formats = formats
        self.dates = Cache(lambda text: parse_date(text, formats.dayfirst))
        self.amounts = Cache(self._plain_amount)
        self.descriptors = Cache(read_descriptor)
        self.accounts = Cache(lambda text: read_account(text) or account)
        self.currency = currency
        self.currencies = Cache(lambda text: currency_code(text) or currency)
        self.categories = Cache(read_category)
        self.codes = Cache(category_of)

    def quick(self) -> Callable[[Row, str], Item]:
        """A function for the usual row: one look-up for each field, from the first column that gives it."""
        if not self._usual():
            return _never
        first, *others = [self._quick(number) for number in range(len(self.columns["amount"]))]
        if not others:
            return first
        places = self.columns["amount"]
        readers = list(zip(places, (first, *others), strict=True))

        def read(row: Row, chain: str) -> Item:
            for place, one in readers:
                if row[place]:
                    return one(row, chain)
            raise Reject("no amount")

        return read

    def _quick(self, number: int) -> Callable[[Row, str], Item]:
        """The quick function for rows that give the amount in the column of this number."""
        date, merchant = (self.columns[field][0] for field in ("date", "merchant"))
        user, kind = (self.columns.get(field, (0,))[0] for field in ("account", "category"))
        amount = self.columns["amount"][number]
        unit = self.columns.get("currency", (0,))[number if self._paired() else 0]
        if "category" not in self.columns:
            kind = self.columns.get("mcc", (0,))[0]
        descriptors, dates, amounts = self.descriptors, self.dates, self.amounts
        accounts = self.accounts if "account" in self.columns else _Always(self.accounts[""])
        currencies = self.currencies if "currency" in self.columns else _Always(self.currency)
        categories = self._quick_categories()

        def read(row: Row, chain: str) -> Item:
            return (
                accounts[row[user]],
                descriptors[row[merchant]],
                dates[row[date]],
                amounts[row[amount]],
                currencies[row[unit]],
                categories[row[kind]],
                chain,
                None,
                0,
            )

        return read

    def read(self, row: Row, chain: str) -> list[Item]:
        """Any row: fields with several columns, amounts with a currency, debit and credit, copies."""
        descriptor = self.descriptors[self._text(row, "merchant")]
        cents, currency = self._money(row)
        item = (
            self.accounts[self._text(row, "account")],
            descriptor,
            self.dates[self._text(row, "date")],
            cents,
            currency,
            self.categories[self._text(row, "category")] or self.codes[self._text(row, "mcc")],
            self._reference(row) or chain,
            self._positive(row, "round_up"),
            self._positive(row, "fee") or 0,
        )
        copies = self._copies(row)
        return [item] + [(*item[:6], f"{item[6]}.{number}", *item[7:]) for number in range(2, copies + 1)]

    def _usual(self) -> bool:
        """Whether a blank first column always ends in a Reject where another column could still give the field."""
        several = {field for field, places in self.columns.items() if len(places) > 1}
        return set(self.columns) <= USUAL and several <= REQUIRED | ({"currency"} if self._paired() else set())

    def _paired(self) -> bool:
        """Whether each amount has a currency column of its own."""
        return len(self.columns.get("currency", ())) == len(self.columns.get("amount", ()))

    def _quick_categories(self) -> Any:
        if "category" in self.columns and "mcc" in self.columns:
            return Cache(lambda text: read_category(text) or _refuse())
        if "category" in self.columns:
            return self.categories
        return self.codes if "mcc" in self.columns else _Always(None)

    def _text(self, row: Row, field: str) -> str:
        """The first of the field's columns that is not blank."""
        for place in self.columns.get(field, ()):
            if row[place].strip():
                return row[place]
        return ""

    def _money(self, row: Row) -> tuple[int, str]:
        """(cents, currency), of the first amount that is not blank and the currency that goes with it."""
        if "debit" in self.columns or "credit" in self.columns:
            texts = [self._text(row, "debit"), self._text(row, "credit")]
            if not any(texts):
                raise Reject("no amount")
            (out, code), (back, other) = (self._amount(text) if text else (0, None) for text in texts)
            # Some banks write what leaves the account as -5 under "debit": the column says which way it goes.
            return abs(out) - abs(back), self._currency(row, code or other, 0)
        sign, field = (-1, "-amount") if "-amount" in self.columns else (1, "amount")
        for number, place in enumerate(self.columns[field]):
            if row[place].strip():
                cents, code = self._amount(row[place])
                return sign * cents, self._currency(row, code, number)
        raise Reject("no amount")

    def _amount(self, text: str) -> tuple[int, str | None]:
        return parse_amount(text, self.formats.decimal)

    def _plain_amount(self, text: str) -> int:
        cents, mark = self._amount(text)
        plain = mark is None or ("currency" not in self.columns and agree(mark, self.currency))
        return cents if plain else _refuse()

    def _currency(self, row: Row, mark: str | None, number: int) -> str:
        """The currency that the row names, or else its amount, or else the usual one."""
        places = self.columns.get("currency", ())
        text = row[places[number]] if places and self._paired() else self._text(row, "currency")
        named = self.currencies[text] if text.strip() else None
        if named is None and mark not in (None, "$"):
            return currency_code(mark or "") or self.currency
        currency = named or self.currency
        if mark and not agree(mark, currency):
            raise Reject("the amount is in another currency than its row or its file")
        return currency

    def _reference(self, row: Row) -> str | None:
        if "reference" not in self.columns:
            return None
        text = self._text(row, "reference").strip()
        if not text:
            raise Reject("no reference")
        if len(text) > REFERENCE_LIMIT or "\0" in text:
            raise Reject(f"reference: longer than {REFERENCE_LIMIT} characters, or with a NUL in it")
        return text

    def _positive(self, row: Row, field: str) -> int | None:
        text = self._text(row, field)
        if not text:
            return None
        cents, _ = self._amount(text)
        if cents < 0 and field == "round_up":
            raise Reject("round-up: below zero")
        return cents

    def _copies(self, row: Row) -> int:
        text = self._text(row, "copies").strip()
        if "copies" not in self.columns or not text:
            return 1
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= COPIES_LIMIT):
            raise Reject(f"the number of equal rows is not a whole number from 1 to {COPIES_LIMIT}")
        return int(text)


def read_descriptor(text: str) -> str:
    """The merchant as it stands, without the spaces around it."""
    descriptor = text.strip()
    if not descriptor:
        raise Reject("no merchant")
    if "\0" in descriptor:
        raise Reject("merchant: has a NUL character in it")
    if len(descriptor) > DESCRIPTOR_LIMIT:
        raise Reject(f"merchant: longer than {DESCRIPTOR_LIMIT:,} characters")
    return descriptor


def read_account(text: str) -> str:
    """The name of the account, its spaces collapsed."""
    name = " ".join(text.split())
    if len(name) > ACCOUNT_LIMIT or "\0" in name:
        raise Reject(f"account: longer than {ACCOUNT_LIMIT} characters, or with a NUL in it")
    return name


def read_category(text: str) -> str | None:
    """The file's own category, its start where it is long; None when it is blank."""
    if "\0" in text:
        raise Reject("category: has a NUL character in it")
    return text.strip()[:CATEGORY_LIMIT].rstrip() or None


def currency_code(text: str) -> str | None:
    """Three capital letters; None when the text is blank."""
    code = text.strip().upper()
    code = {"£": "GBP", "€": "EUR"}.get(code, code)
    if code and not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise Reject("currency: not three letters")
    return code or None


def _never(row: Row, chain: str) -> Item:
    raise Reject("")


def _refuse() -> Any:
    raise Reject("")


class _Always(dict[str, Any]):
    """Answers every look-up with one value."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value

    def __missing__(self, text: str) -> Any:
        return self.value

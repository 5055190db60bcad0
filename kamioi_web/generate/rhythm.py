"""When people buy what: hours of the day, weekends and seasons by kind of shop.

Hours are those of the shop's own clock: pages show UTC, and coffee belongs to the morning there too.
"""

from dataclasses import dataclass
from functools import cache

from kamioi_web.generate.chance import chance

SECOND = 1_000_000
DAY = 86_400 * SECOND
POOL_MOMENTS = 4_093
# Jitter keeps moments drawn twice from a pool apart; pools stop this long before midnight to stay inside their day.
JITTER = 60 * SECOND


@dataclass(frozen=True)
class Profile:
    """One digit an hour (weekday, weekend) and one a month, 0 none to 9 most; weekend: a weekend day to a weekday."""

    weekday: str
    weekend_hours: str
    weekend: float
    months: str
    ending: str
    refunds: bool = False


EVEN = "555555555555"
PROFILES: dict[str, Profile] = {
    "coffee": Profile("000001489986443332110000", "000000136898654332110000", 0.8, EVEN, "exact"),
    "brunch": Profile("000000356644543344321000", "000000157999864333321000", 2.0, EVEN, "meal"),
    "lunch": Profile("100000123335996334664321", "100000012346886456764321", 1.1, EVEN, "exact"),
    "dinner": Profile("100000000002554223698531", "210000000003554334799742", 1.5, EVEN, "meal"),
    "night": Profile("532100001122333345678986", "754321000123344556678998", 1.3, EVEN, "price"),
    "grocery": Profile("000000123455544568764210", "000000124789998776543210", 1.6, "555555555567", "exact"),
    "retail": Profile("000000001355666677754200", "000000001479998887643100", 1.5, "445555565568", "retail", True),
    "gift": Profile("100000001355666667765321", "100000001369998887654321", 1.4, "354454444379", "retail", True),
    "home": Profile("000000356666655567643100", "000000136899988764321000", 1.7, "345777655444", "retail", True),
    "trade": Profile("000001589987788765200000", "000000124554332100000000", 0.3, "345777665544", "exact"),
    "online": Profile("532110012344555555678986", "643211001345666655678986", 1.0, "544444554568", "price", True),
    "fuel": Profile("111112579754556789754321", "111111234567777776654321", 0.9, "445556776555", "fuel"),
    "transit": Profile("000014897433444579864210", "000001122344555555544321", 0.5, EVEN, "exact"),
    "ride": Profile("532111356543445568887776", "874311112334455667788999", 1.3, EVEN, "exact"),
    "travel": Profile("211111234566655555667643", "211111123455555555667643", 0.8, "445668975444", "exact", True),
    "auto": Profile("000000148998777875210000", "000000025899886431000000", 0.9, "555555555555", "exact"),
    "health": Profile("000000037998667875210000", "000000013565432100000000", 0.2, "655555455555", "whole"),
    "leisure": Profile("000000000012344457998631", "000000000246788888998753", 2.3, "655566654457", "price"),
    "summer": Profile("000000001356777776532100", "000000002589999988642100", 2.0, "123479974321", "whole"),
    "winter": Profile("000000014666666654321000", "000000149999988764321000", 1.8, "996311124579", "exact"),
    "office": Profile("000000015898778875432110", "000000001233333322221100", 0.3, "555555555555", "exact"),
    "school": Profile("000000026888788876543210", "000000012333333333332100", 0.4, "854444269544", "whole"),
    "tax": Profile("000000024677777777888642", "000000013577777777765421", 0.9, "379922111111", "whole"),
    "charity": Profile("000000013455555555666431", "000000027997543333333210", 1.6, "444445444479", "whole"),
    "bill": Profile("000024579887766555432110", "000013455544433333221110", 0.5, EVEN, "exact"),
    "telecom": Profile("000024579887766555432110", "000013455544433333221110", 0.6, EVEN, "exact"),
    "utility": Profile("000024579887766555432110", "000013455544433333221110", 0.5, "986544566568", "exact"),
    "subscription": Profile("345678765444444444443332", "345678765444444444443332", 1.0, EVEN, "price"),
}
NAMES = tuple(PROFILES)


@cache
def moments(name: str, weekend: bool) -> tuple[int, ...]:
    """Microseconds after midnight at which shops of this profile sell, in random order."""
    profile = PROFILES[name]
    rng = chance(f"moments {name} {weekend}")
    shares = [int(digit) for digit in (profile.weekend_hours if weekend else profile.weekday)]
    hours = rng.choices(range(24), shares, k=POOL_MOMENTS)
    latest = DAY - JITTER - 1
    return tuple(min(hour * 3600 * SECOND + rng.randrange(3600 * SECOND), latest) for hour in hours)


def demand(name: str, month: int, weekend: bool) -> float:
    """How much of a profile's trade a day of this month sees, about 1 on the average weekday."""
    profile = PROFILES[name]
    return int(profile.months[month - 1]) / 5 * (profile.weekend if weekend else 1.0)

#!/usr/bin/env python3
"""Makes the numbers by which `values_against_stdnum.rs` checks the validated values.

The verdicts are those of python-stdnum, an implementation that shares no line with ours. Every
number is made here from a fixed seed; none is taken from anywhere.

    python3 -m venv /tmp/stdnum && /tmp/stdnum/bin/pip install python-stdnum==2.2
    /tmp/stdnum/bin/python crates/model/tests/vectors/generate.py

It writes one JSON file per kind beside itself. `made` says how a number was made and is for the
reader; the test looks only at `said` and at the verdicts.
"""

import datetime
import json
import pathlib
import random
import re
import string
import sys
import unicodedata

from stdnum import iban, luhn, numdb
from stdnum.dk import cpr
from stdnum.exceptions import ValidationError
from stdnum.fi import hetu
from stdnum.iso7064 import mod_97_10
from stdnum.no import fodselsnummer, kontonr
from stdnum.se import personnummer

HERE = pathlib.Path(__file__).parent
TODAY = datetime.date(2026, 11, 22)
RANDOM = random.Random("muster validated values")


class FixedDate(datetime.date):
    """stdnum asks the machine for today's date; the verdicts must not depend on it."""

    @classmethod
    def today(cls):
        return TODAY


class FixedDatetime:
    date = FixedDate


for module in (fodselsnummer, personnummer, cpr, hetu):
    module.datetime = FixedDatetime


def verdict(validate, said):
    try:
        validate(said)
    except ValidationError:
        return False
    return True


def birth_date(module, said):
    """stdnum's birth date of a number it accepts, as plain ISO text."""
    born = module.get_birth_date(said)
    return datetime.date(born.year, born.month, born.day).isoformat()


def day_between(first_year, last_year):
    first = datetime.date(first_year, 1, 1).toordinal()
    last = min(datetime.date(last_year, 12, 31), TODAY).toordinal()
    return datetime.date.fromordinal(RANDOM.randint(first, last))


def with_wrong_digit(number):
    place = RANDOM.choice([i for i, c in enumerate(number) if c.isdigit()])
    digit = RANDOM.choice([d for d in string.digits if d != number[place]])
    return number[:place] + digit + number[place + 1:]


def write(name, cases):
    seen, rows = set(), []
    for case in cases:
        if case["said"] not in seen:
            seen.add(case["said"])
            rows.append(json.dumps(case, ensure_ascii=True))
    text = '{"today": "%s", "cases": [\n%s\n]}\n' % (TODAY, ",\n".join(rows))
    (HERE / f"{name}.json").write_text(text)
    valid = sum(json.loads(row)["valid"] for row in rows)
    print(f"{name}: {len(rows)} numbers, {valid} valid by stdnum", file=sys.stderr)


# --- Norway ------------------------------------------------------------------------------------

WEIGHTS_1 = (3, 7, 6, 1, 8, 9, 4, 5, 2)
WEIGHTS_2 = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def norwegian(day, month, year, individual, remainder=0):
    """The eleven digits with the first check digit leaving `remainder`, or None."""
    number = "%02d%02d%02d%03d" % (day, month, year % 100, individual)
    for weights, rest in ((WEIGHTS_1, remainder), (WEIGHTS_2, 0)):
        check = (rest - sum(w * int(d) for w, d in zip(weights, number))) % 11
        if check == 10:
            return None
        number += str(check)
    return number


def birth_series(year):
    if year < 1900:
        return range(500, 750)
    if year < 1940:
        return range(0, 500)
    if year < 2000:
        return [*range(0, 500), *range(900, 1000)]
    return range(500, 1000)


def d_series(year):
    if year < 1900:
        return range(500, 600)
    if year < 1940:
        return range(0, 200)
    if year < 2000:
        return [*range(0, 500), *range(600, 1000)]
    return range(200, 1000)


def norway():
    def case(said, made):
        valid = verdict(fodselsnummer.validate, said)
        born = birth_date(fodselsnummer, said) if valid else None
        return {"said": said, "valid": valid, "born": born, "made": made}

    def numbers(count, years, series, add_day=0, add_month=0, remainders=(0,)):
        made = 0
        while made < count:
            day = day_between(*years)
            number = norwegian(
                day.day + add_day,
                day.month + add_month,
                day.year,
                RANDOM.choice(series(day.year)),
                RANDOM.choice(remainders),
            )
            if number:
                made += 1
                yield number

    for number in numbers(60, (1860, 2026), birth_series):
        yield case(number, "birth number")
        yield case(number[:6] + " " + number[6:], "birth number with a space")
        yield case(with_wrong_digit(number), "birth number with one wrong digit")
    for number in numbers(80, (1860, 2026), d_series, add_day=40):
        yield case(number, "D-number")
        yield case(with_wrong_digit(number), "D-number with one wrong digit")
    for add, maker in ((40, "NAV or helper"), (65, "Norsk Helsenett"), (80, "Tenor")):
        for number in numbers(20, (1900, 2026), birth_series, add_month=add):
            yield case(number, f"synthetic birth number, {maker}")
        for number in numbers(20, (1900, 2026), d_series, add_day=40, add_month=add):
            yield case(number, f"synthetic D-number, {maker}")
    for number in numbers(60, (1930, 2026), birth_series, remainders=(1, 2, 3)):
        yield case(number, "birth number as given out from 2032")
    for number in numbers(30, (1930, 2026), birth_series, 0, 80, (1, 2, 3)):
        yield case(number, "synthetic birth number as given out from 2032")
    for number in numbers(30, (1954, 1999), lambda _: range(750, 900)):
        yield case(number, "individual digits never given out")
    for day, month in ((31, 2), (30, 2), (31, 4), (32, 1), (0, 5), (12, 13), (12, 0), (85, 6)):
        for _ in range(8):
            number = norwegian(day, month, RANDOM.randrange(100), RANDOM.randrange(1000))
            if number:
                yield case(number, "no such day")
    for _ in range(30):
        number = norwegian(RANDOM.randint(1, 28), 12, RANDOM.randint(2026, 2039), 700)
        if number:
            yield case(number, "not born yet")
    for _ in range(30):
        yield case("".join(RANDOM.choices(string.digits, k=RANDOM.choice((9, 10, 11, 12)))), "any digits")


def bank_accounts():
    def case(said, made):
        return {"said": said, "valid": verdict(kontonr.validate, said), "made": made}

    made = 0
    while made < 80:
        number = "".join(RANDOM.choices(string.digits, k=10))
        check = sum(w * int(d) for w, d in zip((6, 7, 8, 9, 4, 5, 6, 7, 8, 9), number)) % 11
        if check == 10:
            yield case(number + RANDOM.choice(string.digits), "no check digit fits")
            continue
        made += 1
        number += str(check)
        yield case(number, "account")
        yield case(f"{number[:4]}.{number[4:6]}.{number[6:]}", "account with dots")
        yield case(f"{number[:4]} {number[4:6]} {number[6:]}", "account with spaces")
        yield case(with_wrong_digit(number), "account with one wrong digit")
        yield case(number[1:], "account without its first digit")
    for _ in range(25):
        number = "".join(RANDOM.choices(string.digits, k=6))
        number += luhn.calc_check_digit(number)
        yield case(number, "postal giro account of seven digits")
        yield case("0000" + number, "postal giro account behind four zeros")


# --- Sweden, Denmark, Finland ------------------------------------------------------------------


def sweden():
    def case(said, made):
        valid = verdict(personnummer.validate, said)
        born = birth_date(personnummer, said) if valid else None
        return {"said": said, "valid": valid, "born": born, "made": made}

    def serial(date):
        serial = "%03d" % RANDOM.randint(1, 999)
        return serial + luhn.calc_check_digit(date[-6:] + serial)

    for _ in range(60):
        day = day_between(1900, 2026)
        date = day.strftime("%Y%m%d")
        last = serial(date)
        sign = "+" if TODAY.year - day.year >= 100 else "-"
        yield case(date[2:] + sign + last, "ten digits with a sign")
        yield case(date + last, "twelve digits")
        yield case(date + "-" + last, "twelve digits with a hyphen")
        if sign == "-":
            yield case(date[2:] + last, "ten digits")
        yield case(with_wrong_digit(date[2:] + "-" + last), "ten digits with one wrong digit")
        coordination = date[:6] + str(day.day + 60)
        yield case(coordination + serial(coordination), "samordningsnummer")
    for _ in range(20):
        date = "2026" + RANDOM.choice(("1123", "1201", "1231"))
        yield case(date + serial(date), "not born yet")
        date = day_between(1950, 2020).strftime("%Y%m%d")
        yield case(f"{date[2:]}-000{luhn.calc_check_digit(date[2:] + '000')}", "birth number 000")
        yield case("".join(RANDOM.choices(string.digits, k=RANDOM.choice((9, 10, 11)))), "any digits")


def denmark():
    def case(said, made):
        valid = verdict(cpr.validate, said)
        born = birth_date(cpr, said) if valid else None
        digits = re.sub(r"\D", "", said)
        checksum = cpr.checksum(digits) == 0 if len(digits) == 10 else None
        return {"said": said, "valid": valid, "born": born, "checksum": checksum, "made": made}

    for _ in range(100):
        date = day_between(1900, 2026).strftime("%d%m%y")
        serial = "%04d" % RANDOM.randrange(10_000)
        yield case(date + serial, "any serial number")
        yield case(date + "-" + serial, "any serial number with a hyphen")
        yield case(with_wrong_digit(date) + serial, "one wrong digit in the date")
        yield case(date[1:] + serial, "without its first digit")


def finland():
    signs = {1800: "+", 1900: "-YXWVU", 2000: "ABCDEF"}

    def number(day, individual, sign=None):
        digits = day.strftime("%d%m%y") + "%03d" % individual
        sign = sign or RANDOM.choice(signs[day.year // 100 * 100])
        return digits[:6] + sign + digits[6:] + hetu._calc_checksum(digits)

    def case(said, made):
        return {
            "said": said,
            "valid": verdict(hetu.validate, said),
            "valid_temporary": verdict(lambda n: hetu.validate(n, allow_temporary=True), said),
            "made": made,
        }

    for _ in range(70):
        code = number(day_between(1850, 2026), RANDOM.randint(2, 899))
        yield case(code, "any sign")
        yield case(code.lower(), "small letters")
        yield case(with_wrong_digit(code), "one wrong digit")
        yield case(code[:-1] + RANDOM.choice("0123456789ABCDEFHJKLMNPRSTUVWXYGIOQZ"), "any check character")
        yield case(number(day_between(1850, 2026), RANDOM.randint(900, 999)), "temporary or test")
    for _ in range(20):
        day = datetime.date(RANDOM.randint(2027, 2099), RANDOM.randint(1, 12), RANDOM.randint(1, 28))
        yield case(number(day, 100), "not born yet")
        yield case(number(day_between(1900, 2020), RANDOM.randint(0, 1)), "individual number 000 or 001")
        yield case(number(day_between(1900, 2020), 100, RANDOM.choice("GTZ/=")), "no century sign")


# --- IBAN --------------------------------------------------------------------------------------


def ibans():
    database = numdb.get("iban")
    countries = sorted(prefix for prefix, *_ in entries(database) if len(prefix) == 2)

    def bban(structure):
        kinds = {"n": string.digits, "a": string.ascii_uppercase}
        kinds["c"] = string.digits + string.ascii_uppercase
        return "".join(
            "".join(RANDOM.choices(kinds[kind], k=int(length)))
            for length, kind in re.findall(r"(\d+)!([nac])", structure)
        )

    def case(said, made):
        return {
            "said": said,
            "valid": verdict(iban.validate, said),
            "valid_internationally": verdict(
                lambda n: iban.validate(n, check_country=False), said
            ),
            "made": made,
        }

    def closed(country, account):
        return country + mod_97_10.calc_check_digits(account + country) + account

    for country in countries:
        structure = database.info(country + "00")[0][1]["bban"]
        for _ in range(2):
            number = closed(country, bban(structure))
            yield case(number, "right check digits")
            yield case(iban.format(number), "in groups of four")
            yield case(with_wrong_digit(number), "one wrong digit")
        account = bban(structure)
        yield case(closed(country, account[:-1]), "one character short")
        yield case(closed(country, account + "0"), "one character long")
    accounts = {c["said"] for c in bank_accounts() if c["valid"] and c["said"].isdigit()}
    for account in sorted(accounts)[:50]:
        if len(account) == 11 and not account.startswith("0000"):
            yield case(closed("NO", account), "Norwegian with a right account number")
    for country in ("US", "JP", "AU", "ZZ"):
        yield case(closed(country, "12345678901"), "country without IBAN")


def entries(database):
    """The first level of a number database: (prefix, properties, ...)."""
    for length, low, high, properties, children in database.prefixes:
        if low == high:
            yield low, properties


# --- case folding ------------------------------------------------------------------------------


def case_folding():
    """Each character that Unicode folds, with what Python's own table folds it to."""
    rows = [
        json.dumps([character, character.casefold()])
        for character in map(chr, [*range(0xD800), *range(0xE000, 0x110000)])
        if character.casefold() != character
    ]
    text = '{"unicode": "%s", "pairs": [\n%s\n]}\n'
    (HERE / "case_folding.json").write_text(
        text % (unicodedata.unidata_version, ",\n".join(rows))
    )
    print(f"case_folding: {len(rows)} characters", file=sys.stderr)


write("no_fodselsnummer", norway())
write("no_kontonr", bank_accounts())
write("se_personnummer", sweden())
write("dk_cpr", denmark())
write("fi_hetu", finland())
write("iban", ibans())
case_folding()

"""Spells numbers digit by digit. A package from elsewhere: Lambda's runtime does not have it."""

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def spell(number):
    return "-".join(WORDS[int(digit)] for digit in str(number))

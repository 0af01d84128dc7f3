"""Austria's rates, in per cent."""

VAT = 20

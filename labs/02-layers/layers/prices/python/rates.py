"""Germany's rates, in per cent."""

VAT = 19

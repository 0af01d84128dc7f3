"""What things cost, in whole cents. The one place where prices are computed."""

import rates


def gross(net):
    """A net price with value-added tax; half a cent is rounded up."""
    return (net * (100 + rates.VAT) + 50) // 100

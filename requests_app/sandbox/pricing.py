"""Prices: a unit in fal's words and a price for each, which follow from the endpoint's id."""

from __future__ import annotations

from dataclasses import dataclass

from .listing import chance

CURRENCY = "USD"
# category -> (unit, lowest price, how many a usual call needs)
UNITS: dict[str, tuple[tuple[str, float, float], ...]] = {
    "text-to-image": (("megapixels", 0.003, 1.0), ("images", 0.02, 1.0), ("compute seconds", 0.00111, 6.0)),
    "image-to-image": (("images", 0.01, 1.0), ("megapixels", 0.002, 2.4), ("processed megapixels", 0.001, 2.4)),
    "text-to-video": (("seconds", 0.05, 5.0), ("videos", 0.2, 1.0)),
    "image-to-video": (("seconds", 0.04, 5.0), ("video segments", 0.1, 2.0), ("5 seconds", 0.15, 1.0)),
    "video-to-video": (("seconds", 0.02, 10.0), ("minutes", 0.6, 0.4)),
    "text-to-speech": (("1000 characters", 0.03, 0.4), ("1m tokens", 0.6, 0.002)),
    "text-to-audio": (("generations", 0.02, 1.0), ("units", 0.001, 12.0)),
    "speech-to-text": (("input seconds", 0.0001, 180.0), ("minutes", 0.006, 3.0)),
    "image-to-3d": (("generations", 0.1, 1.0),),
    "training": (("steps", 0.002, 1000.0), ("units", 2.0, 1.0)),
    "vision": (("1m tokens", 0.15, 0.003), ("requests", 0.002, 1.0)),
}  # fmt: skip
OTHER = (("compute seconds", 0.0005, 3.0), ("credits", 0.001, 4.0))


@dataclass(frozen=True)
class Price:
    """`usual`: units of a usual call, for the historical estimate."""

    endpoint_id: str
    unit_price: float
    unit: str
    usual: float

    def as_json(self) -> dict[str, object]:
        """As the platform lists it."""
        return {
            "endpoint_id": self.endpoint_id,
            "unit_price": self.unit_price,
            "unit": self.unit,
            "currency": CURRENCY,
        }


def price_of(endpoint_id: str, category: str) -> Price:
    """The endpoint's price."""
    units = UNITS.get(category, OTHER)
    unit, lowest, usual = units[chance(f"unit {endpoint_id}", len(units))]
    factor = 1 + chance(f"price {endpoint_id}", 9) / 4
    return Price(endpoint_id, round(lowest * factor, 7), unit, usual)

from __future__ import annotations

from dataclasses import fields

import pytest

from warm_transfer.errors import InvalidArgument
from warm_transfer.livekit.doctor.limits import DoctorLimits
from warm_transfer.policy import TransferPolicy


@pytest.mark.parametrize("name", [each.name for each in fields(DoctorLimits)])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_no_limit_is_without_end_or_without_time(name: str, value: float) -> None:
    with pytest.raises(InvalidArgument, match=name):
        DoctorLimits(**{name: value})


def test_where_a_transfer_has_the_same_limit_it_is_the_same() -> None:
    limits, policy = DoctorLimits(), TransferPolicy()
    assert limits.request_s == policy.api_timeout_s
    assert limits.join_s == policy.open_timeout_s
    # Both rooms are looked at in this time.
    assert 2 * limits.slow_request_s <= policy.look_timeout_s

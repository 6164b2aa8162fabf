from warm_transfer.testing.livekit import latency


def test_a_dial_goes_through_its_steps_in_order() -> None:
    steps = (
        latency.REQUEST_S,
        latency.REGISTERED_S,
        latency.INVITED_S,
        latency.LEG_SEEN_S,
        latency.LEG_TRACK_S,
    )
    assert list(steps) == sorted(steps)


def test_a_request_can_overtake_the_registration_of_a_leg() -> None:
    # integration 7: a removal in the first 3 ms answers not_found
    assert latency.API_S < latency.REGISTERED_S

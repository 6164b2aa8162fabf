from collections.abc import Mapping

from warm_transfer.testing.clock import VirtualClockLoop


def pytest_asyncio_loop_factories() -> Mapping[str, type[VirtualClockLoop]]:
    return {"virtual": VirtualClockLoop}

"""The contract that every channel must pass, ours and strangers': subclass it, give a `subject`, inherit the tests.

    class TestLogbook(ChannelContract):
        @pytest.fixture
        def subject(self, tmp_path):
            book = Logbook("logbook", LogbookSettings(file=tmp_path / "book"), HOUSE)
            return Subject(book, public=lambda text: read(tmp_path / "book").count(text))

A channel is done when this passes against the platform, or against a simulation that keeps the platform's rules. It
needs pytest; nothing else in outagecast imports it. `pytest.register_assert_rewrite("outagecast.testing")` in a
conftest.py makes its failures show both sides.
"""

from outagecast.testing.contract import ChannelContract
from outagecast.testing.nasty import NASTY
from outagecast.testing.subject import Subject, announcement

__all__ = ["NASTY", "ChannelContract", "Subject", "announcement"]

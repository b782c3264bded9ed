"""Every built-in channel keeps the shipped contract, against the sandbox and over real sockets."""

from __future__ import annotations

from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING

import email_kit
import pytest
from msgspec.structs import replace

from outagecast.channel import (
    House,
    Secret,
)
from outagecast.channels.email.channel import Email
from outagecast.channels.email.settings import EmailSettings
from outagecast.channels.facebook import Facebook
from outagecast.channels.facebook_settings import FacebookSettings
from outagecast.channels.twitter import Twitter, TwitterSettings
from outagecast.sandbox import graph, x
from outagecast.sandbox.faults import unclear
from outagecast.sandbox.graph import GraphPlatform
from outagecast.sandbox.mail_faults import At, Do, MailFault
from outagecast.sandbox.mailbox import Mailbox
from outagecast.sandbox.x import XPlatform
from outagecast.testing import ChannelContract, Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from outagecast.sandbox.faults import ErrorBody
    from outagecast.sandbox.server import Platform

HOUSE = House("Example Hosting", UTC, "https://help.example.net", "Announcements only. Help: https://help.example.net")
ANYTHING = ""
"""Matches every request."""


def faults(platform: Platform, recorded: Mapping[str, ErrorBody]) -> Mapping[str, Callable[[], object]]:
    """What leaves a client in the dark (but for waiting, which the adapters' own tests do), and what is recorded."""
    dark = {name: fault for name, fault in unclear(ANYTHING).items() if not name.startswith(("silence", "drip"))}
    told = {name: body.fault(ANYTHING) for name, body in recorded.items()}
    return {name: partial(platform.faults.add, fault) for name, fault in {**dark, **told}.items()}


def second_step(platform: Platform) -> Mapping[str, Callable[[], object]]:
    """The same, at the step that makes a draft public."""
    publish = unclear(r"POST /v25.0/[0-9]+_[0-9]+$")
    quick = {name: fault for name, fault in publish.items() if not name.startswith(("silence", "drip"))}
    return {f"publish {name}": partial(platform.faults.add, fault) for name, fault in quick.items()}


class TestTwitter(ChannelContract):
    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        with XPlatform() as platform:
            keys = platform.account
            names = ("api_key", "api_key_secret", "access_token", "access_token_secret")
            secrets = {name: getattr(keys, name) for name in names}
            wrapped = {name: Secret.of(value) for name, value in secrets.items()}
            settings = TwitterSettings(**wrapped, user_id=keys.user_id, simulator_url=platform.url)
            channel = Twitter("twitter", settings, HOUSE, patience=0.5)
            yield Subject(
                channel,
                public=lambda text: sum(tweet["text"] == text for tweet in platform.public()),
                secrets=list(secrets.values()),
                breakages=faults(platform, x.ERRORS),
                mend=platform.faults.clear,
            )
            channel.close()


class TestFacebook(ChannelContract):
    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        with GraphPlatform() as platform:
            settings = FacebookSettings(
                page_id=platform.page_id,
                page_access_token=Secret.of(platform.page_token),
                app_id=platform.app_id,
                app_secret=Secret.of(platform.app_secret),
                simulator_url=platform.url,
            )
            channel = Facebook("facebook", settings, HOUSE, patience=0.5)
            yield Subject(
                channel,
                public=lambda text: sum(post["text"] == text for post in platform.public()),
                secrets=[platform.page_token, platform.app_secret],
                breakages={**faults(platform, graph.ERRORS), **second_step(platform)},
                mend=platform.faults.clear,
            )
            channel.close()


class TestEmail(ChannelContract):
    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        login = ("outage", "password-for-tests")
        with Mailbox(login=login) as mailbox:
            settings = EmailSettings(
                sender="Example Hosting Status <status@example.net>",
                relays=[Secret.of(mailbox.url)],
                to=["reader@example.org"],
            )
            channel = Email("email", settings, HOUSE, waits=replace(email_kit.QUICK, pause=0.001))
            yield Subject(
                channel,
                public=lambda text: sum(letter["text"] == text for letter in mailbox.public()),
                secrets=[login[1]],
                breakages=mail_faults(mailbox),
                mend=mailbox.faults.clear,
            )
            channel.close()


def mail_faults(mailbox: Mailbox) -> Mapping[str, Callable[[], object]]:
    """A cut and odd answers at every stage of a letter; a relay that has stored one does not say that it has not."""
    stages = [stage for stage in At if stage not in {At.STARTTLS, At.STORED}]
    ways = {
        "cut": (Do.DROP, ""),
        "451": (Do.REPLY, "451 4.3.0 try again later"),
        "550": (Do.REPLY, "550 5.7.1 no"),
        "421": (Do.REPLY, "421 4.3.2 going down"),
        "nonsense": (Do.REPLY, "what?"),
    }
    after = {"cut, stored": partial(mailbox.faults.add, MailFault(At.STORED, Do.DROP, times=0))}
    return after | {
        f"{name} at {stage}": partial(mailbox.faults.add, MailFault(stage, do, reply, times=0))
        for stage in stages
        for name, (do, reply) in ways.items()
    }

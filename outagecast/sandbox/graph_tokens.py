"""The Page itself and its tokens at the simulated Graph API: who am I, what may I do, how do I get more."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from outagecast.sandbox.graph_calls import SUCCESS, need, refuse
from outagecast.sandbox.graph_errors import ERRORS, invalid
from outagecast.sandbox.graph_fields import FieldsError, parse, select
from outagecast.sandbox.graph_posts import Token, TokenKind
from outagecast.sandbox.messages import Answer, RefusalError, json_answer

if TYPE_CHECKING:
    from outagecast.sandbox.graph import Call, GraphPlatform

USER_ID = "55"
SIXTY_DAYS = 5_184_000
_TASKS = ("CREATE_CONTENT", "MODERATE", "ADVERTISE", "ANALYZE", "MANAGE")
_NEVER_EXPIRES = 0


def proof(token: str, secret: str) -> str:
    """The `appsecret_proof` that goes with a token."""
    return hmac.digest(secret.encode(), token.encode(), "sha256").hex()


def page(platform: GraphPlatform, call: Call) -> Answer:
    """GET /{page}; `access_token` only for a person or a system user who manages it."""
    manages = call.token.kind == TokenKind.PAGE or "pages_show_list" in call.token.scopes
    every = {
        "id": platform.page_id,
        "name": platform.page_name,
        "link": f"https://www.facebook.com/{platform.page_id}",
        "category": "Internet company",
        "is_published": True,
        "followers_count": 42,
        "fan_count": 42,
        "access_token": platform.page_token if manages else None,
    }
    return _selected(platform, call, every, "Page", "name")


def me(platform: GraphPlatform, call: Call) -> Answer:
    """GET /me: the Page for its own token, else the person."""
    if call.token.kind == TokenKind.PAGE:
        return page(platform, call)
    return _selected(platform, call, {"id": USER_ID, "name": "A. Person"}, "User", "name")


def accounts(platform: GraphPlatform, call: Call) -> Answer:
    """GET /me/accounts; empty for Pages that a business portfolio owns."""
    if call.token.kind not in {TokenKind.USER, TokenKind.SYSTEM_USER}:
        raise RefusalError(invalid("Tried accessing nonexisting field (accounts)").answer(platform.now()))
    entry = {
        "access_token": platform.page_token,
        "category": "Internet company",
        "name": platform.page_name,
        "id": platform.page_id,
        "tasks": list(_TASKS),
    }
    listed = "pages_show_list" in call.token.scopes and not platform.portfolio
    return json_answer({"data": [entry] if listed else []})


def settings(platform: GraphPlatform, call: Call) -> Answer:
    """GET and POST /{page}/settings: about visitors' posts, nothing about comments on ours."""
    need(platform, call, "pages_manage_metadata")
    if call.request.method == "GET":
        listed = [{"setting": name, "value": value} for name, value in platform.settings.items()]
        return json_answer({"data": listed})
    try:
        option = json.loads(call.given.get("option", ""))
        platform.settings.update(option)
    except (ValueError, TypeError) as err:
        raise RefusalError(invalid("Param option must be an object").answer(platform.now())) from err
    return SUCCESS


def debug(platform: GraphPlatform, call: Call) -> Answer:
    """GET /debug_token, for the app only (or a token about itself)."""
    asked = call.given.get("input_token", "")
    if call.token.kind != TokenKind.APP and call.token.value != asked:
        refuse(platform, "token-invalid")
    token = platform.tokens.get(asked)
    trouble = platform.trouble(token)
    if token is None or trouble:
        error = ERRORS[trouble or "token-invalid"].value["error"]
        kept = {"code": error["code"], "message": error["message"], "subcode": error.get("error_subcode", 0)}
        return json_answer({"data": {"error": kept, "is_valid": False, "scopes": []}})
    return json_answer({"data": _described(platform, token)})


def _described(platform: GraphPlatform, token: Token) -> dict[str, Any]:
    described: dict[str, Any] = {
        "app_id": platform.app_id,
        "type": token.kind.value,
        "application": "outagecast",
        "is_valid": True,
        "expires_at": platform.expires.get(token.value, _NEVER_EXPIRES),
        "data_access_expires_at": 0,
        "scopes": sorted(token.scopes),
        "granular_scopes": [{"scope": name, "target_ids": [platform.page_id]} for name in sorted(token.scopes)],
    }
    return described | ({"profile_id": platform.page_id} if token.kind == TokenKind.PAGE else {"user_id": USER_ID})


def exchange(platform: GraphPlatform, call: Call) -> Answer:
    """GET or POST /oauth/access_token: a short token for one of sixty days, or the app's own."""
    given = call.given
    if (given.get("client_id"), given.get("client_secret")) != (platform.app_id, platform.app_secret):
        raise RefusalError(invalid("Error validating client secret.").answer(platform.now()))
    if given.get("grant_type") == "client_credentials":
        return json_answer({"access_token": platform.app_token, "token_type": "bearer"})
    short = platform.tokens.get(given.get("fb_exchange_token", ""))
    if given.get("grant_type") != "fb_exchange_token" or short is None or platform.trouble(short):
        refuse(platform, "token-invalid")
    value = "long-" + hashlib.sha256(short.value.encode()).hexdigest()[:12] + "-token-for-tests"
    platform.tokens[value] = Token(value, short.kind, set(short.scopes))
    platform.expires[value] = int(platform.now().timestamp()) + SIXTY_DAYS
    return json_answer({"access_token": value, "token_type": "bearer", "expires_in": SIXTY_DAYS})


def _selected(platform: GraphPlatform, call: Call, every: dict[str, Any], node: str, default: str) -> Answer:
    try:
        return json_answer(select(every, parse(call.given.get("fields") or default), node))
    except FieldsError as err:
        raise RefusalError(invalid(str(err)).answer(platform.now())) from err

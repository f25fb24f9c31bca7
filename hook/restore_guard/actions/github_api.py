"""GitHub's REST API, as much of it as a comment needs.

docs.github.com/rest: issues/comments, pulls; a pull request's comments are those of an issue of its number.
"""

from __future__ import annotations

import http.client
import itertools
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import msgspec

PAGE = 100
"""As many as GitHub gives at once."""
SECONDS = 30


class GitHubError(Exception):
    """GitHub did not do it; the message says what, and what it answered."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """urllib would send the token wherever it is sent on to."""

    def redirect_request(self, *_: object) -> None:
        return None


class Comments(msgspec.Struct, frozen=True):
    """The comments of one pull request.

    Attributes:
        url: of the API, as in GITHUB_API_URL.
        repository: OWNER/NAME.
        number: of the pull request.
    """

    url: str
    repository: str
    number: int
    token: str

    def head(self) -> str:
        """The sha of the pull request's newest commit.

        Raises, as all of these do:
            GitHubError: it was refused, or GitHub could not be asked.
        """
        answer = self._call("GET", f"pulls/{self.number}")
        try:
            return str(answer["head"]["sha"])
        except (KeyError, TypeError) as error:
            raise GitHubError(f"the pull request {self.number} has no head in GitHub's answer.") from error

    def marked(self, mark: str) -> list[tuple[int, str]]:
        """(number, text) of the comments that begin with a mark and are a program's: whoever quotes one keeps his."""
        return [
            (comment["id"], comment["body"])
            for comment in self._all()
            if comment["user"]["type"] == "Bot" and comment["body"].startswith(mark)
        ]

    def create(self, text: str) -> None:
        self._call("POST", f"issues/{self.number}/comments", {"body": text})

    def update(self, comment: int, text: str) -> None:
        self._call("PATCH", f"issues/comments/{comment}", {"body": text})

    def delete(self, comment: int) -> None:
        self._call("DELETE", f"issues/comments/{comment}")

    def _all(self) -> Iterator[dict[str, Any]]:
        for page in itertools.count(1):
            found = self._call("GET", f"issues/{self.number}/comments?per_page={PAGE}&page={page}")
            for comment in found:
                # A person whose account is gone is nobody.
                yield {**comment, "user": comment.get("user") or {"type": ""}, "body": comment.get("body") or ""}
            if len(found) < PAGE:
                return

    def _call(self, method: str, path: str, body: dict[str, str] | None = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}/repos/{self.repository}/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "User-Agent": "restore-guard",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        what = f"{method} {re.sub(r'[?].*', '', path)}"
        try:
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=SECONDS) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise GitHubError(f"{what}: {error.code} {_said(error)}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise GitHubError(f"{what}: {error}") from error


def _said(error: urllib.error.HTTPError) -> str:
    """GitHub's own words."""
    try:
        return str(json.loads(error.read())["message"])
    except (OSError, ValueError, LookupError, TypeError):
        return str(error.reason)

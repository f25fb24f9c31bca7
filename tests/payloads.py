"""What GitHub writes to GITHUB_EVENT_PATH: the documented shape of each event, cut down to what identifies a change."""

ZEROS = "0" * 40
SENDER = {"login": "octocat", "id": 1, "type": "User"}


def repository(name="octo-org/models", url="https://github.com/octo-org/models.git"):
    owner, _, short = name.partition("/")
    return {
        "id": 1296269,
        "name": short,
        "full_name": name,
        "private": False,
        "owner": {"login": owner, "type": "Organization"},
        "fork": not name.startswith("octo-org/"),
        "clone_url": url,
        "default_branch": "main",
    }


def pull_request(head, base, *, fork=None, base_url="https://github.com/octo-org/models.git", action="synchronize"):
    """`fork` is the head's repository: None for the same one, "deleted" where it is gone."""
    base_repository = repository(url=base_url)
    head_repository = None if fork == "deleted" else fork or base_repository
    return {
        "action": action,
        "number": 1,
        "pull_request": {
            "number": 1,
            "state": "open",
            "title": "rename",
            "draft": False,
            "head": {"label": "octocat:feature", "ref": "feature", "sha": head, "repo": head_repository},
            "base": {"label": "octo-org:main", "ref": "main", "sha": base, "repo": base_repository},
            "merge_commit_sha": "e5bd3914e2e596debea16f433f57875b5b90bcd6",
            "author_association": "CONTRIBUTOR",
        },
        "repository": base_repository,
        "sender": SENDER,
    }


def push(before, after, *, ref="refs/heads/main", forced=False):
    return {
        "ref": ref,
        "before": before,
        "after": after,
        "created": before == ZEROS,
        "deleted": False,
        "forced": forced,
        "base_ref": None,
        "compare": f"https://github.com/octo-org/models/compare/{before[:12]}...{after[:12]}",
        "commits": [],
        "head_commit": {"id": after, "message": "change", "author": {"name": "T", "email": "t@example.org"}},
        "repository": repository(),
        "pusher": {"name": "octocat", "email": "t@example.org"},
        "sender": SENDER,
    }


def merge_group(base, head):
    return {
        "action": "checks_requested",
        "merge_group": {
            "head_sha": head,
            "head_ref": f"refs/heads/gh-readonly-queue/main/pr-1-{base}",
            "base_sha": base,
            "base_ref": "refs/heads/main",
            "head_commit": {"id": head, "message": "Merge pull request #1"},
        },
        "repository": repository(),
        "sender": SENDER,
    }


def workflow_dispatch(**inputs):
    return {
        "inputs": inputs or None,
        "ref": "refs/heads/main",
        "repository": repository(),
        "sender": SENDER,
        "workflow": ".github/workflows/guard.yml",
    }


def schedule():
    return {"schedule": "30 5 * * 1", "repository": repository(), "workflow": ".github/workflows/guard.yml"}


def workflow_run(head):
    return {
        "action": "completed",
        "workflow": {"id": 1, "name": "CI", "path": ".github/workflows/ci.yml", "state": "active"},
        "workflow_run": {"id": 2, "name": "CI", "event": "pull_request", "head_sha": head, "conclusion": "success"},
        "repository": repository(),
        "sender": SENDER,
    }

"""The frameworks that the proof runs on, each with an oracle of its own."""

import dataclasses
import json
import os
import subprocess
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import msgspec

from differential import truth as truths
from differential.truth import parts
from restore_guard.restore_paths import RESTORE_PATHS, Outcome, Situation, imitated, restore, reviving, situations
from restore_guard.signature import Revival, Signature

ORACLE = Path(__file__).with_name("oracle.py")
PATHS = tuple(RESTORE_PATHS)


@dataclass(frozen=True)
class Framework:
    """A framework: the environment of scripts/run_tests.py that holds it, its Keras, and what else selects it."""

    title: str
    environment: str
    generation: str
    legacy: bool = False


FRAMEWORKS = {
    "keras2": Framework("TensorFlow 2.15.1, Keras 2.15", "keras2", "keras2"),
    "tf_keras": Framework("TensorFlow 2.18.1, tf-keras 2.18", "tensorflow218", "keras2", legacy=True),
    "keras36": Framework("TensorFlow 2.18.1, Keras 3.6", "tensorflow218", "keras3"),
    "keras3": Framework("TensorFlow 2.21.0, Keras 3.15.1", "keras3", "keras3"),
}


class Fault(Exception):
    """A model could not be built or saved at all: the pair says nothing about restoring."""


class Oracle:
    """The oracle of one framework; asks from several threads wait for each other."""

    def __init__(self, name, python, log, framework=None):
        self.name, self._lock = name, threading.Lock()
        self.framework = framework or FRAMEWORKS[name]
        environ = {key: value for key, value in os.environ.items() if key != "TF_USE_LEGACY_KERAS"}
        if self.framework.legacy:
            environ["TF_USE_LEGACY_KERAS"] = "1"
        self._scratch = tempfile.TemporaryDirectory()  # AutoGraph leaves a file there for each function that it traces
        environ["TMPDIR"] = self._scratch.name
        self._process = subprocess.Popen(
            [python, ORACLE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environ, text=True
        )

    def ask(self, op, **request):
        """Raises: Fault."""
        with self._lock:
            self._process.stdin.write(json.dumps({"op": op, **request}) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        if not answer:
            raise Fault(f"the oracle of {self.name} has ended")
        answer = json.loads(answer)
        if "failed" in answer:
            raise Fault(answer["failed"])
        return answer

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._scratch.cleanup()


@dataclass
class Judged:
    """A pair: both signatures, and what restoring really does by each path in each situation.

    Attributes:
        truth: {name: {"outcome", "error", "assigned", "initial", "unused", "changed_otherwise"}}; see `truth.name`.
        itself: the same of the base restored into itself.
        revivals: {configuration of `base` in a file: what the code of `head` makes of it}.
    """

    base: Signature
    head: Signature
    truth: dict
    itself: dict
    revivals: dict[str, Revival] = dataclasses.field(default_factory=dict)

    def model(self, path) -> Signature:
        """What a path loads into."""
        if path not in self.head.load.revives:
            return self.head
        return reviving.revived(self.base, self.head, self.revivals, path)

    def simulated(self, name, unchanged=False) -> Outcome:
        """What is simulated for a name of `truth`, or for one of `itself`."""
        path, *stages = parts(name)
        model = self.base if unchanged else self.model(path)
        if path in {*self.base.unread, *model.unread}:
            return Outcome("unsupported", certain=False)
        outcome = situations.load(imitated(path, model).restore, self.base, model, Situation(*stages))
        if stages == ["trained", "trained"] and not unchanged:
            # Nobody has what the base cannot even load itself; what it can and this model cannot raises.
            before = self.simulated(name, unchanged=True)
            if before.kind in ("raises", "unsupported"):
                return msgspec.structs.replace(before, kind="unsupported")
        return msgspec.structs.replace(outcome, kind="raises") if outcome.kind == "unsupported" else outcome

    def disagreements(self):
        """Yields (name, a sentence) for each difference between the simulation and the truth."""
        for name, truth in self.truth.items():
            model = self.model(parts(name)[0])
            yield from (
                (name, said) for said in _differences(self.simulated(name), self.wanted(name, truth, model), model)
            )
        for name, truth in self.itself.items():
            if parts(name)[1:] != ("trained", "trained"):
                outcome = self.simulated(name, unchanged=True)
                really = self.wanted(name, truth, self.base)
                yield from ((name, f"unchanged: {said}") for said in _differences(outcome, really, self.base))
        for path in {parts(name)[0] for name in self.truth}:
            yield from ((path, said) for said in self._worst(path))

    def wanted(self, name, truth, model):
        """The truth without what the load call leaves in the file on purpose."""
        path = parts(name)[0]
        left = reviving.not_wanted(self.base, model, path) if path in model.load.revives else ()
        unused = [old for old in truth["unused"] if old not in left]
        lost = truth["initial"] or unused or truth["changed_otherwise"]
        whole = truth["outcome"] == "partial" and not lost
        return {**truth, "unused": unused, "outcome": "restores" if whole else truth["outcome"]}

    def _worst(self, path):
        """The outcome of a path must raise or lose something if, and only if, it really does in some situation."""
        outcome = restore(path, self.base, self.model(path))
        if not outcome.certain:
            return
        really = [
            truth["outcome"]
            for name, truth in self.truth.items()
            if parts(name)[0] == path and self.itself.get(name, truth)["outcome"] != "raises"
        ]
        if (outcome.kind == "raises") != ("raises" in really):
            yield f"the worst is simulated to be {outcome.kind}, really {sorted(set(really))}"


def _differences(outcome, truth, model):
    if not outcome.certain:
        return
    # Only a simulation can know what a value was made of by more than moving its elements.
    converted = {*truth["converted"], *truth["changed_otherwise"]}
    kind = truth["outcome"]
    if kind == "partial" and outcome.kind == "restores" and outcome.converted:
        kind = "restores"
    if outcome.kind != kind:
        yield f"simulated {outcome.kind} ({outcome.error}), really {truth['outcome']} ({truth['error']})"
    elif outcome.kind in ("restores", "partial"):
        seeds = {variable.path for variable in model.variables if variable.seed}
        if converted != set(outcome.converted):
            yield f"converted: simulated {sorted(outcome.converted)}, really {sorted(converted)}"
        # What a restore itself created, slots of a legacy optimizer, is not in the model's signature.
        known = {variable.path for variable in model.variables}
        consumed = {old for parts in outcome.converted.values() for old in parts}
        initial = [name for name in truth["initial"] if name in known]
        unused = [name for name in truth["unused"] if name not in consumed]
        for name, real in (("initial", initial), ("unused", unused), ("lost", truth["lost"])):
            # Of what is no variable only tables are looked into.
            simulated = sorted(item for item in getattr(outcome, name) if name != "lost" or item in truth["tables"])
            if simulated != sorted(real):
                yield f"{name}: simulated {simulated}, really {sorted(real)}"
        assigned = {new: old for new, old in outcome.assigned.items() if new not in seeds}
        real = {new: old for new, old in truth["assigned"].items() if new in known}
        if assigned != real:
            yield f"assigned: {sorted(assigned.items() ^ real.items())} differ"


def judge(saver, restorers, base, head, paths=PATHS):
    """Really saves by one oracle what `base` builds, and restores it by the same or others into what `head` builds.

    Yields (name of a restorer, `Judged`, or a Fault where one of the two cannot be built).
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            saved, itself = truths.save(saver, base, folder, paths)
        except Fault as fault:
            yield from ((restorer.name, fault) for restorer in restorers)
            return
        for restorer in restorers:
            try:
                described, truth = truths.restore(restorer, saved, itself, head, folder)
            except Fault as fault:
                yield restorer.name, fault
                continue
            signatures = (msgspec.convert(side["signature"], Signature) for side in (saved, described))
            revivals = msgspec.convert(described["revivals"], dict[str, Revival])
            yield restorer.name, Judged(*signatures, truth, itself, revivals)


def judge_one(oracle, base, head, paths=PATHS):
    """The pair saved and restored by one oracle.

    Raises:
        Fault: one of the two cannot be built.
    """
    ((_, judged),) = judge(oracle, [oracle], base, head, paths)
    if isinstance(judged, Fault):
        raise judged
    return judged


def judge_all(pairs):
    """Judges several pairs at once: {key: arguments of `judge`} -> yields (key, restorer, Judged or Fault)."""
    with ThreadPoolExecutor(8) as pool:
        try:
            work = pool.map(lambda arguments: list(judge(*arguments)), pairs.values())
            for key, found in zip(pairs, work, strict=True):
                yield from ((key, *one) for one in found)
        finally:  # an interruption waits for what is under way, and not for all that is asked
            pool.shutdown(cancel_futures=True)

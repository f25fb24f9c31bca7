"""variable-renamed: a variable is still there, under another address."""

from __future__ import annotations

from collections.abc import Mapping

from restore_guard.rules.shared import words
from restore_guard.rules.shared.cause import Cause, Compared, Subject
from restore_guard.rules.shared.rule import Example, Explanation, Rule
from restore_guard.rules.shared.view import Sight
from restore_guard.signature import Holder, Signature, leaf, owner

_MODEL = "the model"
_MOVED = (None, None)
"""The subject of what kept its name and form: something before it was inserted, removed or moved."""


def applies(sight: Sight) -> Subject | None:
    if sight.same_form is None:
        return None
    old, new = sight.same_form
    if old.path != new.path:
        return words.renaming(old.path, new.path)
    return None if sight.trouble.unsaved else _MOVED


def ends(cause: Cause, comparison: Compared) -> tuple[str | None, str | None]:
    """Its names, or where it is in the checkpoint if those are the same."""
    first = cause.troubles[0]
    if cause.subject != _MOVED:
        return first.old, first.new
    outcome = comparison.outcomes[first.path]
    return outcome.saved_addresses.get(first.old or ""), outcome.model_addresses.get(first.new or "")


def _names(cause: Cause) -> tuple[str, str]:
    """The names of what changed, as patterns; "" for the model itself."""
    before, after = words.subjects(cause)
    return before or "", after or ""


def says(cause: Cause, comparison: Compared) -> str:
    if cause.subject != _MOVED:
        if _is_mixed(cause):
            first, others = cause.troubles[0], len(cause.names) - 1
            return f"{first.old} is now {first.new}, and {words.count(others, 'other variable')} moved alike."
        before, after = _names(cause)
        what = words.extent(cause, after)
        is_wrapped = _is_wrapped(cause, comparison)
        if is_wrapped or _is_unwrapped(cause, comparison):
            done = "wrapped" if is_wrapped else "unwrapped"
            was, it_is = ("was", "it is") if cause.count == 1 else ("were", "they are")
            return f"{before} {was} {done}: {it_is} {after} now{what}."
        if not before or after.startswith(f"{before}/"):
            return _capital(f"{before or _root(cause, comparison)} moved below {after}{what}.")
        if before.startswith(f"{after}/") or not after:
            return f"{before} moved up to {after or 'the model itself'}{what}."
        if _is_moved(before, after):
            return f"{before} moved to {after}{what}."
        return f"{before} {'was' if cause.count == 1 else 'were'} renamed to {after}{what}."
    old, new = ends(cause, comparison)
    return f"{words.listing(cause.names)} moved within the checkpoint, from {old} to {new}."


def _is_moved(before: str, after: str) -> bool:
    """Whether only what holds it is another one."""
    return bool(before and after) and leaf(before) == leaf(after) and owner(before) != owner(after)


def _is_mixed(cause: Cause) -> bool:
    """Whether no pattern tells old from new: a list became a dict, or a list of lists."""
    olds, news = ({len((name or "").split("/")) for name in names} for names in zip(*cause.subjects, strict=True))
    before, after = _names(cause)
    return cause.count > 1 and (before == after or len(olds) > 1 or len(news) > 1)


def _is_wrapped(cause: Cause, comparison: Compared) -> bool:
    """Whether another layer stands where one was and holds it as its `layer`, as `keras.layers.Wrapper` does."""
    return _is_held(*cause.subject, comparison.old_holders, comparison.new_holders)


def _is_unwrapped(cause: Cause, comparison: Compared) -> bool:
    """Whether a layer stands where another one was that held it as its `layer`."""
    old, new = cause.subject
    return _is_held(new, old, comparison.new_holders, comparison.old_holders)


def _is_held(bare: str | None, held: str | None, without: Mapping[str, Holder], having: Mapping[str, Holder]) -> bool:
    if bare is None or held is None or leaf(held) != "layer" or owner(owner(held)) != owner(bare):
        return False
    other, wrapper = without.get(owner(held)), having.get(owner(held))
    return wrapper is not None and (other is None or other.type != wrapper.type)


def _capital(sentence: str) -> str:
    """Begins as a sentence, unless with a name."""
    return sentence.replace(_MODEL, _MODEL.capitalize(), 1) if sentence.startswith(f"{_MODEL} ") else sentence


def _root(cause: Cause, comparison: Compared) -> str:
    """What moved from the root of the model: all of it, or some variables."""
    moved = {trouble.old for trouble in cause.troubles}
    whole = all(path in moved for path in comparison.olds if not path.startswith("optimizer/"))
    return _MODEL if whole else words.listing(sorted(name for name in moved if name))


def advice(cause: Cause, comparison: Compared) -> str | None:
    """An attribute's name is no help where positions moved, or all of the model did."""
    before, after = _names(cause)
    if cause.is_shift:
        return _stay(comparison)
    if _is_wrapped(cause, comparison):
        return f"Keep {before} as it was, without what is around it, or {words.CARRY}."
    if _is_unwrapped(cause, comparison):
        return f"Keep {owner(before)} around it, or {words.CARRY}."
    paths = set(cause.paths)
    if paths == {"tf1-saver"}:
        return f"Keep the old name, of the variable or of its scope, or hand the Saver its old names; or {words.CARRY}."
    if paths == {"h5-by-name"}:
        return f"Give each layer its name in old checkpoints, with name=..., or promise h5 instead; or {words.CARRY}."
    if not before or after.startswith(f"{before}/"):
        return f"Keep {before or _root(cause, comparison)} where it was, or {words.CARRY}."
    if _is_moved(before, after):
        return f"Keep {before} where it was, or {words.CARRY}."
    olds = [old for old, _ in cause.subjects if old]
    if any(leaf(old).isdigit() for old in olds):
        return f"Keep the list as it was, or {words.CARRY}."
    holders = comparison.old_holders
    if all(map(_is_of_layers, (comparison.saved, comparison.model))) and not any(map(owner, olds)):
        return _keep_layer(cause, comparison)
    if all(old in holders and owner(old) and owner(old) not in holders for old in olds):
        return "Keep the old key, or keep the old key as a second one beside the new one."
    return None


def _is_of_layers(side: Signature) -> bool:
    """Whether a model knows its layers by their names and not by attributes."""
    return any(node.type in ("Functional", "Sequential") for node in side.object_graph.nodes[:1])


def _keep_layer(cause: Cause, comparison: Compared) -> str:
    old, new = cause.subject
    was = words.type_of(old, comparison.old_holders)
    if was != words.type_of(new, comparison.new_holders):
        return f"Keep the name of the class, {was}, by which weights files know its layers, or {words.CARRY}."
    return f"Give each layer its old name, with name=..., or {words.CARRY}."


def _stay(comparison: Compared) -> str:
    """What keeps positions: what is new comes last; else everything stays as it was."""
    one, other = (side.object_graph.nodes[:1] for side in (comparison.saved, comparison.model))
    if one and other and one[0].type != other[0].type:
        return f"Keep the {one[0].type}, or {words.CARRY}."
    if len(comparison.model.created) > len(comparison.saved.created):
        return f"Put what is new behind what was there before, or {words.CARRY}."
    return f"Keep the number, the order and all the names of the layers as they were, or {words.CARRY}."


RULE = Rule(
    "variable-renamed",
    meaning="A variable of the model is still there, but under another address than the one old checkpoints use.",
    why="tf.train.Checkpoint looks objects up by the name of the attribute that holds them. What it does not "
    "find keeps its initial value, and nothing is said.",
    example=Example("variable-renamed/page-example-attribute"),
    fix="Keep the old name for the attribute, or keep the old name as a second attribute beside the new one "
    "(self.old = self.new).",
    explains=Explanation(applies, says, ends, advice=advice),
)

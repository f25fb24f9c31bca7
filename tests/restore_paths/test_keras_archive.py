"""`.keras` on models small enough to see; the pairs compare it with Keras itself."""

import msgspec
from signatures import model, module, variable

from restore_guard.restore_paths import restore, restore_unchanged, reviving
from restore_guard.signature import Archive, Revival


def dense(units, config, **archive):
    """A model of one Dense, whose own code makes it of its configuration."""
    plain = model(
        3,
        [variable("dense/kernel", (4, units)), variable("dense/bias", (units,))],
        ("Sequential", "layer", (), [("layers", (("dense", 1),))]),
        ("Dense", "layer", (0, 1), ()),
    )
    own = Archive(config=config, **{"revival": Revival(plain), **archive})
    return msgspec.structs.replace(plain, archive=own)


def test_the_saved_configuration_decides_and_not_the_builder():
    saved, wider = dense(2, "two"), dense(3, "three")
    revived = reviving.revived(saved, wider, {"two": Revival(saved)}, "keras-archive")
    outcome = restore("keras-archive", saved, revived)
    assert (outcome.kind, outcome.initial, outcome.unused) == ("restores", (), ())


def test_code_that_makes_another_model_of_it_raises_over_the_weights():
    saved, wider = dense(2, "two"), dense(3, "three")
    outcome = restore("keras-archive", saved, reviving.revived(saved, wider, {"two": Revival(wider)}, "keras-archive"))
    assert outcome.kind == "raises" and outcome.failures[0].revived
    assert outcome.failures[0].model == ("dense/kernel", "dense/bias")


def test_code_that_refuses_it_raises():
    saved = dense(2, "two")
    refusing = reviving.revived(saved, dense(3, "three"), {"two": Revival(error="TypeError: units")}, "keras-archive")
    outcome = restore("keras-archive", saved, refusing)
    assert (outcome.kind, outcome.error) == ("raises", "TypeError: units")
    assert not outcome.failures[0].revived


def test_the_same_configuration_is_not_asked_about_again():
    assert restore(
        "keras-archive", dense(2, "two"), reviving.revived(dense(2, "two"), dense(2, "two"), {}, "keras-archive")
    ).kind == ("restores")


def test_a_value_that_is_configured_is_restored_by_the_configuration():
    def rated(configured):
        made = dense(2, "one")
        rate = (*made.variables, variable("optimizer/learning_rate", ()))
        plain = msgspec.structs.replace(made, variables=rate, archive=None)
        own = Archive(config="one", revival=Revival(plain, configured=configured))
        return msgspec.structs.replace(plain, archive=own)

    assert restore("keras-archive", rated(()), rated(())).initial == ("optimizer/learning_rate",)
    saved, model = rated(("optimizer/learning_rate",)), rated(("optimizer/learning_rate",))
    outcome = restore("keras-archive", saved, reviving.revived(saved, model, {}, "keras-archive"))
    assert (outcome.kind, outcome.assigned["optimizer/learning_rate"]) == ("restores", "optimizer/learning_rate")


def test_a_configured_value_is_the_saved_one_too_where_the_optimizer_is_wrapped_in_another():
    def rated(config, path):
        made = dense(2, config)
        plain = msgspec.structs.replace(made, variables=(*made.variables, variable(path, ())), archive=None)
        own = Revival(plain, configured=(path,))
        return msgspec.structs.replace(plain, archive=Archive(config=config, revival=own)), own

    old, new = "optimizer/learning_rate", "optimizer/inner_optimizer/learning_rate"
    saved, _ = rated("plain", old)
    model, wrapped = rated("mixed", new)
    outcome = restore("keras-archive", saved, reviving.revived(saved, model, {"plain": wrapped}, "keras-archive"))
    assert (outcome.kind, outcome.assigned[new]) == ("restores", old)


def test_what_its_own_code_cannot_load_is_unsupported():
    saved = dense(2, "two", revival=Revival(error="Could not locate class 'Ranker'"))
    assert restore_unchanged("keras-archive", saved).kind == "unsupported"
    assert restore("keras-archive", dense(2, None, error="NotImplementedError"), saved).kind == "unsupported"
    assert restore("keras-archive", module(a=(2,)), saved).kind == "unsupported"

"""What a model computes: recorded of the one that saves, held against the one that has really restored."""

import inspect
import itertools
import sys

import numpy as np
import tensorflow as tf

from .. import frameworks
from . import filling, inputs, samples

_RELATIVE, _ABSOLUTE = 1e-4, 1e-5
# Each order of inputs costs a call of the model.
_FEW_IN_ANY_ORDER, _MOST_ORDERS = 4, 50


class Record:
    """Calls of the saving build; plain data, for another process and another framework.

    Attributes:
        call: the `inputs.Call` of it.
        samples: [{name: array}] that it was called with; `outputs`: [{place: array}] of each call.
        felt: the variables that the outputs are seen to depend on.
    """

    def __init__(self, call):
        self.call, self.samples, self.outputs, self.felt = call, [], [], []


def record(model, named, call):
    """Calls a model with all kinds of inputs.

    Args:
        named: [(path, variable)] of the model.
        call: how, as `inputs.of` tells.

    Raises:
        inputs.Unknown: its outputs tell nothing; the message says why.
    """
    run = _Run(model, named, call)
    known = samples.Known(_parts(model))
    found, why = Record(call), None
    for given in samples.draw(call.tensors, known, samples.bounds(call.tensors, known, run.takes)):
        try:
            outputs = run(given)
        except Exception as error:  # a size or a value that this model cannot take
            why = why or f"calling it raises {type(error).__name__}: {_first_line(error)}"
            continue
        if not _is_finite(outputs):
            why = why or "its outputs are not finite"
            continue
        found.samples.append(given)
        found.outputs.append(outputs)
        if samples.enough(found.samples):
            break
    if not found.samples:
        raise inputs.Unknown(why)
    _check_telling(run, found, [variable for path, variable in filling.without_seed_state(named)])
    found.felt = run.felt(found.samples[0])
    return found


def _check_telling(run, found, variables):
    """Raises Unknown where outputs are of chance, or the same whatever the variables hold."""
    if not _same(found.outputs[0], run(found.samples[0])):
        raise inputs.Unknown("it computes something else at every call")
    floats = [variable for variable in variables if _is_float(variable)]

    def differs():
        return not all(_same(was, run(given)) for given, was in zip(found.samples, found.outputs))

    if floats and not _changed(floats, differs):
        raise inputs.Unknown("its outputs do not depend on its variables")


def _changed(variables, ask):
    """What `ask` answers while the variables have other values."""
    kept, other = [filling.read(variable) for variable in variables], filling.Tempering()
    for number, variable in enumerate(variables):
        filling.assign(variable, np.asarray(other.value(f"other {number}", variable.shape, variable.dtype)))
    try:
        return ask()
    finally:
        for variable, value in zip(variables, kept):
            filling.assign(variable, value)


def _is_float(variable):
    return tf.as_dtype(variable.dtype).is_floating


class RefusedError(inputs.Unknown):
    """A restored model raises where the saving one computed something; `said` is its error."""

    def __init__(self, said):
        super().__init__(f"it no longer takes what it took: {said}")
        self.said = said


class Held:
    """A restored model, held against a record; made before the model is called.

    Raises:
        inputs.Unknown: it cannot be called with what was recorded.
    """

    def __init__(self, model, named, call, recorded):
        self.named, self._recorded = named, recorded
        self._run = _Run(model, named, call)
        self._sources = call.sources(recorded.call.tensors)

    def feels(self, paths):
        """Whether the outputs depend on the variables of these paths, taken together; they keep their values."""
        variables = [variable for path, variable in self.named if path in paths]
        return all(_is_float(variable) for variable in variables) and _changed(variables, lambda: not self.is_same())

    def difference(self):
        """What `compare` finds over all samples.

        Raises:
            inputs.Unknown: the model refuses what was recorded.
        """
        found = {"same_output": True, "max_difference": 0.0}
        for number in range(len(self._recorded.samples)):
            one = compare(self._recorded.outputs[number], self._outputs(number))
            found["same_output"] = found["same_output"] and one["same_output"]
            found["max_difference"] = max(found["max_difference"], one["max_difference"])
        return found

    def is_same(self):
        """Whether all outputs are as recorded, as the model now is; ends at the first that is not."""
        numbers = range(len(self._recorded.samples))
        try:
            return all(compare(self._recorded.outputs[n], self._outputs(n))["same_output"] for n in numbers)
        except inputs.Unknown:
            return False

    def exchanged(self):
        """The inputs that have changed places: {own name: whose place it has}, where that makes the outputs equal."""
        plain = self._sources
        forms = self._recorded.call.tensors
        try:
            for other in _rearranged(list(plain.values())):
                self._sources = dict(zip(plain, other))
                alike = all(forms[plain[name]].is_like(forms[source]) for name, source in self._sources.items())
                if alike and self.is_same():
                    return {name: source for name, source in self._sources.items() if source != plain[name]}
        finally:
            self._sources = plain
        return {}

    def _outputs(self, number):
        given = self._recorded.samples[number]
        try:
            return self._run({name: given[source] for name, source in self._sources.items()})
        except Exception as error:
            raise RefusedError(f"{type(error).__name__}: {_first_line(error)}") from error


def _rearranged(names):
    """Yields other orders of names: any of a few, else with two exchanged or one moved."""
    if len(names) <= _FEW_IN_ANY_ORDER:
        yield from itertools.islice(itertools.permutations(names), 1, None)
        return
    for one, other in itertools.islice(itertools.permutations(range(len(names)), 2), _MOST_ORDERS):
        moved = [name for number, name in enumerate(names) if number != one]
        moved.insert(other, names[one])
        yield moved
        exchanged = list(names)
        exchanged[one], exchanged[other] = names[other], names[one]
        yield exchanged


def compare(base, head):
    """Returns {"same_output", "max_difference"} of {place: array}, the largest number where the forms differ."""
    if len(base) == len(head) == 1:
        base, head = dict(enumerate(base.values())), dict(enumerate(head.values()))
    if {place: value.shape for place, value in base.items()} != {place: value.shape for place, value in head.items()}:
        return {"same_output": False, "max_difference": sys.float_info.max}
    same, largest = True, 0.0
    for place in base:
        one, other = base[place], head[place]
        if one.dtype.kind in "fiub" and other.dtype.kind in "fiub":
            one, other = one.astype("float64"), other.astype("float64")
            same = same and np.allclose(one, other, rtol=_RELATIVE, atol=_ABSOLUTE, equal_nan=True)
            with np.errstate(invalid="ignore"):
                difference = np.nan_to_num(np.abs(one - other), nan=0.0)
            largest = min(max(largest, float(np.max(difference, initial=0.0))), sys.float_info.max)
        else:
            same = same and bool(np.array_equal(one, other))
    return {"same_output": bool(same), "max_difference": largest}


def _same(one, other):
    return compare(one, other)["same_output"]


class _Run:
    """Calls a model as inference does, with random-seed state that is always the same."""

    def __init__(self, model, named, call):
        self._model, self._call, self._named = model, call, named
        self._seeds = [variable for path, variable in named if filling.is_seed_state(path, variable)]
        self._options = {"training": False} if _takes_training(model) else {}

    def __call__(self, given):
        """{place: array} of what the model returns for {name: array}."""
        return {place: _array(value) for place, value in self._returned(given).items()}

    def felt(self, given):
        """The paths of the variables that the outputs have a gradient to."""
        watched = {path: variable for path, variable in self._named if _is_float(variable)}
        try:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(list(watched.values()))
                parts = [tf.cast(value, "float64") for value in self._returned(given).values() if _is_float(value)]
                weighted = [part * tf.random.stateless_normal(part.shape, (0, 1), dtype="float64") for part in parts]
                total = tf.add_n([tf.reduce_sum(part) for part in weighted])
            gradients = tape.gradient(total, watched)
        except Exception:  # a computation without one
            return []
        return [path for path, found in gradients.items() if found is not None and _is_some(found)]

    def _returned(self, given):
        tf.random.set_seed(0)
        for variable in self._seeds:
            variable.assign(tf.ones_like(variable))
        forms = self._call.tensors
        given = {name: tf.cast(tf.constant(given[name]), forms[name].dtype) for name in forms}
        args, kwargs = self._call.arguments(given)
        result = self._model(*args, **{**kwargs, **self._options})
        return {"/".join(place): _tensor(value) for place, value in inputs.places(result) if value is not None}

    def takes(self, given):
        try:
            self(given)
        except Exception:
            return False
        return True


def _takes_training(model):
    if frameworks.is_model(model):
        return True
    try:
        return "training" in inspect.signature(model.__call__).parameters
    except (TypeError, ValueError):
        return False


def _tensor(value):
    if isinstance(value, tf.RaggedTensor):
        return value.to_tensor()
    return tf.sparse.to_dense(value) if isinstance(value, tf.SparseTensor) else tf.convert_to_tensor(value)


def _array(value):
    """As float64 where it is a number with a fraction: NumPy does not know every such dtype."""
    return np.asarray(tf.cast(value, "float64") if value.dtype.is_floating else value)


def _is_some(gradient):
    found = gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
    return bool(tf.reduce_any(found != 0))


def _is_finite(outputs):
    numbers = [value for value in outputs.values() if value.dtype.kind in "fc"]
    return all(np.isfinite(value).all() for value in numbers)


def _parts(model):
    """All objects in a model: its layers, tables and variables."""
    found = {}
    for parts in (lambda: model.submodules, lambda: model._flatten_layers(), lambda: _tracked(model)):
        try:
            found.update({id(part): part for part in parts()})
        except (AttributeError, TypeError, ValueError):
            continue
    return found.values()


def _tracked(model):
    return tf.train.TrackableView(model).descendants()


def _first_line(error):
    return next((line for line in str(error).splitlines() if line.strip()), "")
